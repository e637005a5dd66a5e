// Wrong: a type is bound that is no driver.
// Instead: `impl<P: Platform> Driver<P> for Led { .. }`.
use driver_scope::{platform::Sim, Binding, MaySleep};

struct Led;

fn bind(sim: Sim, cx: MaySleep<'_>) {
    let _ = Binding::<Led, Sim>::bind(sim, (), cx);
}

fn main() {}
