// Wrong: a reference to what the scope has allocated is passed off as one that lives for ever.
// Instead: write the lifetime: `&'drv T`.
// Refused: returning this value requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, DriverScope, Error};

fn alloc<'drv>(scope: &DriverScope<'drv, Sim>) -> Result<&'static [u32; 4], Error> {
    scope.alloc([0; 4])
}

fn main() {}
