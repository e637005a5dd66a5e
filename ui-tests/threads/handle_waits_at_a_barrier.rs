// Wrong: a scoped thread gets a handle, and waits at a barrier that is passed when the driver's scope has ended.
// Instead: begin the threads inside the driver's scope: then that waits for them.
// Refused: `ended` escapes the closure body here
use std::sync::Barrier;
use std::thread;

use driver_scope::{enter, platform::Sim, Restart, Units};

fn main() {
    let ended = Barrier::new(2);
    Sim::new().may_sleep(|cx| {
        thread::scope(|threads| {
            enter(Sim::new(), cx, &ended, |ended, scope| {
                let timer = scope.hrtimer(|_| Restart::No).unwrap();
                threads.spawn(move || {
                    ended.wait();
                    timer.start(1.millis())
                });
            });
            ended.wait();
        });
    });
}
