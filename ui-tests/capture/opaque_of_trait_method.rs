// Wrong: a trait's method returns an opaque type that lives for ever, and an impl returns a handle in it.
// Instead: `fn stopper(&self) -> impl Fn() + '_`.
// Refused: returning this value requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, HrTimer};

trait Stops {
    fn stopper(&self) -> impl Fn() + 'static;
}

impl Stops for HrTimer<'_, Sim> {
    fn stopper(&self) -> impl Fn() + 'static {
        let timer = *self;
        move || {
            timer.try_cancel();
        }
    }
}

fn main() {}
