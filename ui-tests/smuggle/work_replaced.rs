// Wrong: the handle of the outer scope's work is replaced by the inner one's.
// Instead: `Option::take`, and no handle in its place.
// Refused: a temporary borrow escapes the closure body here
use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            let mut slot = outer.work(|_| Restart::No).ok();
            enter(Sim::new(), cx, &(), |_, inner| {
                let work = inner.work(|_| Restart::No).unwrap();
                let _ = slot.replace(work);
            });
            let _ = slot.unwrap().queue();
        });
    });
}
