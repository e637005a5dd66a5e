// Wrong: the parent's scope goes into the child's device, so that the child can register with its parent.
// Instead: the child has a scope of its own; what it registers there ends before its parent.
use driver_scope::{platform::Sim, Driver, DriverScope, Error};

struct Function;
impl Driver<Sim> for Function {
    type Device = &'static DriverScope<'static, Sim>;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv Self::Device, _: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}
