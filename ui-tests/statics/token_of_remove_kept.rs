// Wrong: an action for the end shares a place for proofs that one may sleep with others.
// Instead: wait in the action itself: `timer.cancel(cx)`.
// Refused: a `MaySleep` holds for the context that it was lent to, and for no other
use std::sync::{Arc, Mutex};

use driver_scope::{platform::Sim, DriverScope, Error, MaySleep};

fn probe<'drv>(
    scope: &DriverScope<'drv, Sim>,
    kept: Arc<Mutex<Option<MaySleep<'drv>>>>,
) -> Result<(), Error> {
    scope.on_remove(move |_| {
        *kept.lock().unwrap() = None;
    })
}

fn main() {}
