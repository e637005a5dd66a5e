// Wrong: a scope is made by hand.
// Instead: `enter`, `Driver::probe` and `Binding::with_scope` lend one.
use driver_scope::{platform::Sim, DriverScope};

fn main() {
    let _ = DriverScope::<'static, Sim> {};
}
