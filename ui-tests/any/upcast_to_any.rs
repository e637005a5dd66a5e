// Wrong: a trait for handles has `Any` as its supertrait, to which its objects can be upcast.
// Instead: a trait without `Any`.
// Refused: lifetime bound not satisfied
use std::any::Any;

use driver_scope::{platform::Sim, Irq};

trait Handle: Any {
    fn stop(&self);
}

impl Handle for Irq<'_, Sim> {
    fn stop(&self) {
        self.disable();
    }
}

fn main() {}
