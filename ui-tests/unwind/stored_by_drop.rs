// Wrong: a destructor, run by a panic, saves a handle in a `static`.
// Instead: what outlives the scope is a `Devres`: `static LAST: Lock<Option<Devres<HrTimer<'static, P>, P>>, P>`.
// Refused: argument requires that `'1` must outlive `'static`
use std::sync::Mutex;

use driver_scope::{platform::Sim, HrTimer};

static LAST: Mutex<Option<HrTimer<'static, Sim>>> = Mutex::new(None);

struct Saver<'drv>(HrTimer<'drv, Sim>);
impl Drop for Saver<'_> {
    fn drop(&mut self) {
        *LAST.lock().unwrap() = Some(self.0);
    }
}

fn main() {}
