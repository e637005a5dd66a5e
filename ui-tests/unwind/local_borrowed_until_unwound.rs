// Wrong: an action for the end of a failed `probe` borrows a local, which unwinding drops before the action runs.
// Instead: `move` what the action needs into it, or have the scope own it.
// Refused: argument requires that `armed` is borrowed for `'1`
use std::sync::atomic::{AtomicBool, Ordering};

use driver_scope::{platform::Sim, DriverScope, Error};

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let armed = AtomicBool::new(true);
    let borrowed = &armed;
    scope.on_remove(move |_| {
        assert!(borrowed.load(Ordering::Relaxed));
    })?;
    panic!("half way");
}

fn main() {}
