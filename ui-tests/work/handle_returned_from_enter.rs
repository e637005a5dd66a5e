// Wrong: the handle of work is returned from `enter`, after which the work is gone.
// Instead: return what was found out with it, and use the handle inside.
use driver_scope::{enter, platform::Sim, Restart, Work};

fn main() {
    Sim::new().may_sleep(|cx| {
        let _work: Work<'_, Sim> = enter(Sim::new(), cx, &(), |_, scope| {
            scope.work(|_| Restart::No).unwrap()
        });
    });
}
