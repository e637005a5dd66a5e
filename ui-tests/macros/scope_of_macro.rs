// Wrong: a macro declares a variable named `scope`, and its user's callback takes it for the one that is lent.
// Instead: names go into a macro as arguments.
// Refused: cannot find value `scope` in this scope
use driver_scope::{enter, platform::Sim, Restart};

macro_rules! with_scope {
    ($body:expr) => {
        Sim::new().may_sleep(|cx| {
            enter(Sim::new(), cx, &(), |_, scope| {
                let _ = scope;
                $body
            })
        })
    };
}

fn main() {
    with_scope!(scope.hrtimer(|_| Restart::No).is_ok());
}
