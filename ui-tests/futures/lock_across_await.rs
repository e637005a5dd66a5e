// Wrong: a lock that masks interrupts is held across an `await`, after which the future may be on another thread.
// Instead: end the guard before: `{ let mut state = state.lock(); .. }`.
// Refused: future cannot be sent between threads safely
use std::future::ready;

use driver_scope::{platform::Sim, Lock};

fn for_any_thread<T: Send>(_: T) {}

fn count(state: &Lock<u32, Sim>) {
    for_any_thread(async move {
        let mut state = state.lock();
        ready(()).await;
        *state += 1;
    });
}

fn main() {}
