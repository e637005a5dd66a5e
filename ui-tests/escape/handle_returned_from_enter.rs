// Wrong: the timer's handle is returned from `enter`, after which the timer is gone.
// Instead: return what was found out with it (a number, a `Result`), and use the handle inside.
use driver_scope::{enter, platform::Sim, HrTimer, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        let _timer: HrTimer<'_, Sim> = enter(Sim::new(), cx, &(), |_, scope| {
            scope.hrtimer(|_| Restart::No).unwrap()
        });
    });
}
