// Wrong: a waker holds a handle. Wakers are cloned by whoever is given one, and dropped whenever they like.
// Instead: a waker that holds a `Devres<HrTimer<'static, P>, P>`.
// Refused: argument requires that `'1` must outlive `'static`
use std::sync::Arc;
use std::task::{Wake, Waker};

use driver_scope::{platform::Sim, HrTimer, Units};

struct Restarts<'drv>(HrTimer<'drv, Sim>);
impl Wake for Restarts<'_> {
    fn wake(self: Arc<Self>) {
        let _ = self.0.start(1.millis());
    }
}

fn waker(timer: HrTimer<'_, Sim>) -> Waker {
    Waker::from(Arc::new(Restarts(timer)))
}

fn main() {}
