// Wrong: a pointer to the registers of a model, which lie nowhere.
// Instead: make the driver generic: `P: Platform<Bus: Addressed>`; or use `map` and `registers!`, which work on models, too.
use driver_scope::platform::{Region, Sim};
use driver_scope::{DriverScope, Error};
use safe_mmio::fields::ReadPureWrite;

fn point(scope: &DriverScope<'_, Sim>, region: &Region) -> Result<(), Error> {
    unsafe { scope.map_unique::<ReadPureWrite<u32>>(region)? };
    Ok(())
}

fn main() {}
