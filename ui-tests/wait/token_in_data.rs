// Wrong: the driver's data keeps the proof that one may sleep, for callers that may not.
// Instead: let those who wait bring a token: `fn stop(data: &Data<'_>, cx: MaySleep<'_>)`.
use driver_scope::{platform::Sim, Driver, DriverScope, Error, MaySleep};

struct Data<'drv> {
    cx: MaySleep<'drv>,
}

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = Data<'drv>;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<Data<'drv>, Error> {
        unimplemented!()
    }
}

fn main() {}
