// Wrong: the scope itself is returned from `enter`. It is only ever lent.
// Instead: do inside what needs the scope.
use driver_scope::{enter, platform::Sim, DriverScope};

fn main() {
    Sim::new().may_sleep(|cx| {
        let _scope: &DriverScope<'_, Sim> = enter(Sim::new(), cx, &(), |_, scope| scope);
    });
}
