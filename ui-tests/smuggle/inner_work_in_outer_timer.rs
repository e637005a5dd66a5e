// Wrong: a timer of the outer scope queues work of the inner one, which ends first.
// Instead: a timer of the inner scope may queue work of the outer one.
// Refused: a temporary borrow escapes the closure body here
use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            enter(Sim::new(), cx, &(), |_, inner| {
                let work = inner.work(|_| Restart::No).unwrap();
                let _ = outer.hrtimer(move |_| {
                    let _ = work.queue();
                    Restart::No
                });
            });
        });
    });
}
