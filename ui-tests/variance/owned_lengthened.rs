// Wrong: a reference to what the scope owns is passed off as one that lives for ever.
// Instead: write the lifetime: `&'drv T`; what must live longer goes into an `Arc`.
// Refused: returning this value requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, DriverScope, Error};

fn own<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<&'static String, Error> {
    scope.own(String::from("gone at remove"))
}

fn main() {}
