// Wrong: a scope is passed off as one with a shorter life; callbacks could then borrow what dies earlier.
// Instead: keep the scope's own lifetime in signatures: `&'s DriverScope<'drv, P>`.
use driver_scope::{platform::Sim, DriverScope};

fn shorten<'s, 'drv: 's>(scope: &'s DriverScope<'drv, Sim>) -> &'s DriverScope<'s, Sim> {
    scope
}

fn main() {}
