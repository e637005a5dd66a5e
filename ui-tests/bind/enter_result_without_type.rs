// Wrong: the body of `enter` uses `?`, and nothing says what it returns.
// Instead: `Ok::<(), Error>(())`.
use driver_scope::{enter, platform::Sim, MaySleep};

fn run(sim: Sim, cx: MaySleep<'_>) {
    let _ = enter(sim, cx, &(), |_, scope| {
        scope.own(7)?;
        Ok(())
    });
}

fn main() {}
