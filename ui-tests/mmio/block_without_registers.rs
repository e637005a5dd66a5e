// Wrong: a type is used as a block of registers, but its size was never declared.
// Instead: declare it: `registers! { Uart: 0x20 { 0x00 => rw STATUS: u32, } }`.
use driver_scope::platform::{Region, Sim};
use driver_scope::{DriverScope, Error, Mmio};

enum Uart {}

fn probe<'drv>(
    scope: &DriverScope<'drv, Sim>,
    region: &Region,
) -> Result<Mmio<'drv, Uart, Sim>, Error> {
    scope.map::<Uart>(region)
}

fn main() {}
