// Wrong: the scope itself is to be forgotten, and its teardown with it.
// Instead: a scope is only ever lent. What should outlive a driver is no part of its scope.
// Refused: cannot move out of `*scope` which is behind a shared reference
use driver_scope::{platform::Sim, DriverScope};

fn forget(scope: &DriverScope<'_, Sim>) {
    core::mem::forget(*scope);
}

fn main() {}
