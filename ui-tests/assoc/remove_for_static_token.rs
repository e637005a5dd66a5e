// Wrong: `remove` asks for a proof that one may sleep for ever.
// Instead: `fn remove(data: &Self::Data<'_>, cx: MaySleep<'_>)`.
// Refused: method not compatible with trait
use driver_scope::{platform::Sim, Driver, DriverScope, Error, MaySleep};

struct Timers;
impl Driver<Sim> for Timers {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        Ok(())
    }

    fn remove(_: &(), _: MaySleep<'static>) {}
}

fn main() {}
