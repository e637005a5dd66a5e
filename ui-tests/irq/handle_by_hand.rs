// Wrong: the handle of an interrupt handler is made by hand.
// Instead: `scope.irq(..)`.
use driver_scope::{platform::Sim, Irq};

fn main() {
    let _ = Irq::<'static, Sim> {};
}
