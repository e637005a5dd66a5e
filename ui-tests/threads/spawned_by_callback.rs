// Wrong: a callback spawns threads of a `thread::scope` that began before its own scope: the spawner is lent for less than that takes.
// Instead: a callback that has more to do queues work.
// Refused: `threads` escapes the closure body here
use std::thread;

use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        thread::scope(|threads| {
            enter(Sim::new(), cx, threads, |threads, scope| {
                let _ = scope.hrtimer(move |_| {
                    threads.spawn(|| ());
                    Restart::No
                });
            });
        });
    });
}
