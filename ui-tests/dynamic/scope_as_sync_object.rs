// Wrong: the scope becomes an object that may be used on any thread.
// Instead: what else may be asked on any thread is asked of the `Binding`.
// Refused: `DriverScope<'_, Sim>` cannot be shared between threads safely
use std::fmt::Debug;

use driver_scope::{platform::Sim, DriverScope};

fn show<'s>(scope: &'s DriverScope<'_, Sim>) -> &'s (dyn Debug + Sync) {
    scope
}

fn main() {}
