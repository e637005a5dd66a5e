// Wrong: a timer's place for a callback is made by hand.
// Instead: `scope.vacant_hrtimer()`.
use driver_scope::{platform::Sim, Vacant};

fn main() {
    let _ = Vacant::<'static, Sim> {};
}
