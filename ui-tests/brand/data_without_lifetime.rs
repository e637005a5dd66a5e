// Wrong: the driver's data is declared with handles that live for ever.
// Instead: `struct Data<'drv> { timer: HrTimer<'drv, Sim> }` and `type Data<'drv> = Data<'drv>;`.
use driver_scope::{platform::Sim, Driver, DriverScope, Error, HrTimer, Restart};

struct Data {
    timer: HrTimer<'static, Sim>,
}

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = Data;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, Sim>) -> Result<Data, Error> {
        let timer = scope.hrtimer(|_| Restart::No)?;
        Ok(Data { timer })
    }
}

fn main() {}
