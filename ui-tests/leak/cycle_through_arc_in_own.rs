// Wrong: an `Arc` cycle through the scope's own memory, one link of which is a callback's handle: who would drop it, and when?
// Instead: callbacks hold handles by value; the scope ends them whatever they hold.
// Refused: argument requires that `'1` must outlive `'static`
use std::sync::{Arc, Mutex};

use driver_scope::{platform::Sim, DriverScope, Error, Restart};

fn cycle(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let link = Arc::new(Mutex::new(None));
    let held = link.clone();
    let timer = scope.hrtimer(move |_| {
        let _ = held.lock();
        Restart::No
    })?;
    *link.lock().unwrap() = Some(timer);
    scope.own(link)?;
    Ok(())
}

fn main() {}
