// Wrong: a callback's context is made by hand.
// Instead: the callback is given one: `|t| t.forward(10.millis())`.
use driver_scope::{platform::Sim, TimerContext};

fn main() {
    let _ = TimerContext::<'static, Sim> {};
}
