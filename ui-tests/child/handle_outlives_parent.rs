// Wrong: the handle of a child leaves its parent, in a `static`. It lives no longer than the parent's scope, which owns what it names.
// Instead: `child.port()`, a way into the child for the rest of the world.
use driver_scope::{platform::Sim, Child, Driver, DriverScope, Once};

static FUNCTION: Once<Child<'static, Function, Sim>> = Once::new();

struct Function;
impl Driver<Sim> for Function {
    type Device = u32;
    type Data<'drv> = ();
    type Error = driver_scope::Error;

    fn probe<'drv>(_: &'drv u32, _: &DriverScope<'drv, Sim>) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn publish(scope: &DriverScope<'_, Sim>) {
    if let Ok(child) = scope.child::<Function>(7) {
        let _ = FUNCTION.set(child);
    }
}

fn main() {}
