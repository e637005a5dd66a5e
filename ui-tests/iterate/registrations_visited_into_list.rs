// Wrong: what a visitor of the registrations is lent is kept in a list.
// Instead: what is to be kept is copied: names, states.
// Refused: `entry` escapes the closure body here
use driver_scope::{platform::Sim, DriverScope, Inspected};

fn all<'drv>(scope: &DriverScope<'drv, Sim>) -> Vec<&'drv Inspected> {
    let mut all = Vec::new();
    scope.inspect(|entry| all.push(entry));
    all
}

fn main() {}
