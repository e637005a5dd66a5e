// Wrong: the body of `enter` is written for an environment that is as short-lived as the scope, so that handles can be stored there.
// Instead: handles are stored in variables of the body, or in `scope.alloc`.
// Refused: implementation of `FnOnce` is not general enough
use std::cell::Cell;

use driver_scope::{enter, platform::Sim, DriverScope, HrTimer, Restart};

type Place<'drv> = Cell<Option<HrTimer<'drv, Sim>>>;

fn body<'drv>(place: &'drv Place<'drv>, scope: &DriverScope<'drv, Sim>) {
    place.set(scope.hrtimer(|_| Restart::No).ok());
}

fn main() {
    let place = Place::default();
    Sim::new().may_sleep(|cx| enter(Sim::new(), cx, &place, body));
}
