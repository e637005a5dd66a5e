// Wrong: a trait without a lifetime, implemented for handles: its objects have forgotten the lifetime.
// Instead: `Arc<dyn Stop + 'drv>`.
// Refused: coercion requires that `'1` must outlive `'static`
use std::sync::Arc;

use driver_scope::{platform::Sim, HrTimer};

trait Stop: Send + Sync {
    fn stop(&self);
}
impl Stop for HrTimer<'_, Sim> {
    fn stop(&self) {
        self.try_cancel();
    }
}

fn publish(timer: HrTimer<'_, Sim>, all: &mut Vec<Arc<dyn Stop>>) {
    all.push(Arc::new(timer));
}

fn main() {}
