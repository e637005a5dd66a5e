// Wrong: the handles of an inner and an outer scope are swapped; the outer one then holds what ends first.
// Instead: each scope's handles in variables of their own.
// Refused: a temporary borrow escapes the closure body here
use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            let mut of_outer = outer.hrtimer(|_| Restart::No).unwrap();
            enter(Sim::new(), cx, &(), |_, inner| {
                let mut of_inner = inner.hrtimer(|_| Restart::No).unwrap();
                std::mem::swap(&mut of_outer, &mut of_inner);
            });
            assert!(!of_outer.is_active());
        });
    });
}
