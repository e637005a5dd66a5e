// Wrong: a driver is bound to a device that borrows from the stack, and a binding may be leaked: its timers then run for ever.
// Instead: a binding owns its device. For what lies on the stack there is `enter`, which waits.
// Refused: argument requires that `bytes` is borrowed for `'static`
use driver_scope::platform::Sim;
use driver_scope::{Binding, Driver, DriverScope, Error, HrTimer, Restart};

struct Reader;
impl Driver<Sim> for Reader {
    type Device = &'static [u8];
    type Data<'drv> = HrTimer<'drv, Sim>;
    type Error = Error;

    fn probe<'drv>(
        bytes: &'drv &'static [u8],
        scope: &DriverScope<'drv, Sim>,
    ) -> Result<HrTimer<'drv, Sim>, Error> {
        scope.hrtimer(move |_| {
            assert!(!bytes.is_empty());
            Restart::No
        })
    }
}

fn main() {
    let sim = Sim::new();
    let bytes = [1, 2, 3];
    sim.may_sleep(|cx| {
        let bound = Binding::<Reader, Sim>::bind(sim.clone(), &bytes, cx);
        core::mem::forget(bound);
    });
}
