// Wrong: the handle of one child becomes that of another, whose data is larger, since one type is the other's subtype.
// (`for<'a> fn(&'a ())` is a subtype of `fn(&'static ())`, and the two may be different drivers.)
// Instead: a type of its own for each driver.
#![allow(coherence_leak_check)]
use driver_scope::{platform::Sim, Child, Driver, DriverScope, Error};

struct Led<T>(T);
type Small = Led<for<'a> fn(&'a ())>;
type Large = Led<fn(&'static ())>;

impl Driver<Sim> for Small {
    type Device = ();
    type Data<'drv> = u8;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<u8, Error> {
        Ok(0)
    }
}

impl Driver<Sim> for Large {
    type Device = ();
    type Data<'drv> = [u64; 4];
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<[u64; 4], Error> {
        Ok([0; 4])
    }
}

fn grow<'drv>(small: Child<'drv, Small, Sim>) -> Child<'drv, Large, Sim> {
    small
}

fn main() {}
