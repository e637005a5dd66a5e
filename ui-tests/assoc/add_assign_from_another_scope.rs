// Wrong: an operator adds the handles of an inner scope to a set of the outer one's.
// Instead: a set for each scope.
// Refused: a temporary borrow escapes the closure body here
use std::ops::AddAssign;

use driver_scope::{enter, platform::Sim, HrTimer, Restart};

struct Set<'drv>(Vec<HrTimer<'drv, Sim>>);
impl<'drv> AddAssign<HrTimer<'drv, Sim>> for Set<'drv> {
    fn add_assign(&mut self, timer: HrTimer<'drv, Sim>) {
        self.0.push(timer);
    }
}

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            let mut set = Set(vec![outer.hrtimer(|_| Restart::No).unwrap()]);
            enter(Sim::new(), cx, &(), |_, inner| {
                set += inner.hrtimer(|_| Restart::No).unwrap();
            });
            assert!(!set.0[1].is_active());
        });
    });
}
