// Wrong: a future has the proof that one may sleep across an `await`, after which it may be on another thread.
// Instead: the future that waits for the timer: `sleeper.sleep(..).await`.
// Refused: future cannot be sent between threads safely
use std::future::ready;

use driver_scope::{platform::Sim, HrTimer, MaySleep};

fn for_any_thread<T: Send>(_: T) {}

fn stop(timer: HrTimer<'_, Sim>, cx: MaySleep<'_>) {
    for_any_thread(async move {
        ready(()).await;
        timer.cancel(cx)
    });
}

fn main() {}
