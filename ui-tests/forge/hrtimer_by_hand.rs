// Wrong: a timer's handle is made by hand.
// Instead: `scope.hrtimer(..)`.
use driver_scope::{platform::Sim, HrTimer};

fn main() {
    let _ = HrTimer::<'static, Sim> {};
}
