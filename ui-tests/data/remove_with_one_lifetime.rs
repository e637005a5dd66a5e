// Wrong: `remove` asks for its data to be lent for the driver's whole life, so that it may point into itself.
// Instead: `data: &Self::Data<'_>`: a loan for the call, which is shorter.
use driver_scope::{platform::Sim, Driver, DriverScope, Error, Lock, MaySleep};

struct Data<'drv> {
    best: &'drv Lock<Option<&'drv u32>, Sim>,
    count: u32,
}

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = Data<'drv>;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, Sim>) -> Result<Data<'drv>, Error> {
        let best = scope.alloc(Lock::new(None))?;
        Ok(Data { best, count: 0 })
    }

    fn remove<'drv>(data: &'drv Data<'drv>, _: MaySleep<'_>) {
        *data.best.lock() = Some(&data.count);
    }
}

fn main() {}
