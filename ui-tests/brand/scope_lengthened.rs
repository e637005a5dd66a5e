// Wrong: a scope is passed off as one with a longer life; its handles could then leave it.
// Instead: keep the scope's own lifetime in signatures.
use driver_scope::{platform::Sim, DriverScope};

fn lengthen<'s, 'drv>(scope: &'s DriverScope<'drv, Sim>) -> &'s DriverScope<'static, Sim> {
    scope
}

fn main() {}
