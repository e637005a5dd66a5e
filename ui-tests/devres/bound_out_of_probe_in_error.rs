// Wrong: a failed probe carries a handle that needs no check out in its error. The scope ends before the caller sees it.
// Instead: carry the checked one: `bound.devres()`. (It will be of no use: the scope has ended.)
use driver_scope::{platform::Sim, Bound, Driver, DriverScope, Error, Plain};

enum Failed {
    Own(Error),
    Busy(Bound<'static, Plain<u32>, Sim>),
}
impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed::Own(error)
    }
}

struct Led;
impl Driver<Sim> for Led {
    type Device = ();
    type Data<'drv> = ();
    type Error = Failed;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, Sim>) -> Result<(), Failed> {
        Err(Failed::Busy(scope.devres::<Plain<u32>>(1)?))
    }
}

fn main() {}
