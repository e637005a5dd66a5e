// Wrong: the copy of a scope through a union, which both its fields share.
// Instead: nothing: what is not `Copy` is no field of a union but in `ManuallyDrop`, and reading one is `unsafe`.
// Refused: access to union field is unsafe and requires unsafe function or block
#![forbid(unsafe_code)]
use driver_scope::{platform::Sim, DriverScope};

union Twice<'s, 'drv> {
    short: &'s DriverScope<'s, Sim>,
    long: &'s DriverScope<'drv, Sim>,
}

fn shorten<'s, 'drv: 's>(long: &'s DriverScope<'drv, Sim>) -> &'s DriverScope<'s, Sim> {
    let twice = Twice { long };
    twice.short
}

fn main() {}
