// Wrong: the thread of an interrupt handler borrows a local of `probe`, which is gone when `probe` returns. (The check does not.)
// Instead: give the value to the scope (`let seen = scope.own(AtomicU32::new(0))?`) and `move` the reference in.
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::{platform::Sim, Driver, DriverScope, Error, IrqReturn, PciDevice};

struct Nic;
impl Driver<Sim> for Nic {
    type Device = PciDevice<Sim>;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(dev: &'drv PciDevice<Sim>, scope: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        let seen = AtomicU32::new(0);
        let counter = &seen;
        let _ = scope.irq_threaded(
            dev.irq(0)?,
            |_| IrqReturn::WakeThread,
            move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
            },
        )?;
        Ok(())
    }
}

fn main() {}
