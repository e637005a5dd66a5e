// Wrong: `remove` asks for data that lives for ever, so that its handles could be kept.
// Instead: `fn remove(data: &Self::Data<'_>, cx: MaySleep<'_>)`.
// Refused: method not compatible with trait
use driver_scope::{platform::Sim, Driver, DriverScope, Error, HrTimer, MaySleep, Restart};

struct Timers;
impl Driver<Sim> for Timers {
    type Device = ();
    type Data<'drv> = HrTimer<'drv, Sim>;
    type Error = Error;

    fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, Sim>) -> Result<Self::Data<'drv>, Error> {
        scope.hrtimer(|_| Restart::No)
    }

    fn remove(data: &HrTimer<'static, Sim>, _: MaySleep<'_>) {
        let timer = *data;
        std::thread::spawn(move || timer.restart());
    }
}

fn main() {}
