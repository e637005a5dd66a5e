// Wrong: a future has the scope across an `await`, after which it may be on another thread.
// Instead: make what is needed before the first `await`.
// Refused: future cannot be sent between threads safely
use std::future::ready;

use driver_scope::{platform::Sim, DriverScope};

fn for_any_thread<T: Send>(_: T) {}

fn probe(scope: &DriverScope<'_, Sim>) {
    for_any_thread(async move {
        ready(()).await;
        scope.now()
    });
}

fn main() {}
