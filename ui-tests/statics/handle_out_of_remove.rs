// Wrong: `remove` saves a handle in a `static`; everything still works in it, but not after.
// Instead: do in `remove` what is to be done.
// Refused: argument requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, Driver, DriverScope, Error, MaySleep, Mmio, Once, PciDevice};

static REGS: Once<Mmio<'static, [u8], Sim>> = Once::new();

struct Last;
impl Driver<Sim> for Last {
    type Device = PciDevice<Sim>;
    type Data<'drv> = Mmio<'drv, [u8], Sim>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv PciDevice<Sim>,
        scope: &DriverScope<'drv, Sim>,
    ) -> Result<Self::Data<'drv>, Error> {
        scope.map(device.bar(0)?)
    }

    fn remove(regs: &Self::Data<'_>, _: MaySleep<'_>) {
        let _ = REGS.set(*regs);
    }
}

fn main() {}
