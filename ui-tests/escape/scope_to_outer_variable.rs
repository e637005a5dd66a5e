// Wrong: the scope is kept in a variable that outlives it.
// Instead: do inside what needs the scope.
use driver_scope::{enter, platform::Sim};

fn main() {
    Sim::new().may_sleep(|cx| {
        let mut kept = None;
        enter(Sim::new(), cx, &(), |_, scope| kept = Some(scope));
    });
}
