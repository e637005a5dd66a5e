// Wrong: a part of a mapping leaves its scope.
// Instead: use it inside; return what has been read.
use driver_scope::platform::{Region, Sim};
use driver_scope::{enter, Error, MaySleep};

fn run(sim: Sim, bar: &Region, cx: MaySleep<'_>) {
    let _ = enter(sim, cx, bar, |bar, scope| {
        let bytes = scope.map::<[u8]>(bar)?;
        let (_, high) = bytes.split_at(8)?;
        Ok::<_, Error>(high)
    });
}

fn main() {}
