// Wrong: `probe` is for scopes that live for ever, by a bound.
// Instead: a `probe` for any `'drv`; it is the binding that chooses.
// Refused: lifetime parameters or bounds on associated function `probe` do not match the trait declaration
use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Timers;
impl Driver<Sim> for Timers {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<(), Error>
    where
        'drv: 'static,
    {
        Ok(())
    }
}

fn main() {}
