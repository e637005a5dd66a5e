// Wrong: a handle is given to a thread that is joined only after the scope has ended.
// Instead: open the thread scope inside `enter`, so that its threads are joined first.
use driver_scope::{enter, platform::Sim, Restart, Units};

fn main() {
    std::thread::scope(|threads| {
        Sim::new().may_sleep(|cx| {
            enter(Sim::new(), cx, threads, |threads, scope| {
                let timer = scope.hrtimer(|_| Restart::No).unwrap();
                threads.spawn(move || timer.start(1.millis()));
            });
        });
    });
}
