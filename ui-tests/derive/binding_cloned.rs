// Wrong: a struct with a binding derives `Clone`: then a driver could be removed twice.
// Instead: `Arc<Binding<D, P>>`; for those who only call, `binding.port()`.
// Refused: the trait bound `Binding<Null, Sim>: Clone` is not satisfied
use driver_scope::{platform::Sim, Binding, Driver, DriverScope, Error};

struct Null;
impl Driver<Sim> for Null {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, Sim>) -> Result<(), Error> {
        Ok(())
    }
}

#[derive(Clone)]
struct Slot {
    binding: Binding<Null, Sim>,
}

fn main() {}
