// Wrong: a guard is held across an `await`, after which the future may be on another thread.
// Instead: take what is needed out of the guard before, and access again afterwards.
use std::future::Future;

use driver_scope::{platform::Sim, Revocable};

/// As an executor's `spawn`.
fn spawn(_: impl Future<Output = ()> + Send) {}

async fn packet() {}

fn main() {
    let number = Revocable::new(Sim::new(), 1);
    spawn(async {
        let guard = number.try_access();
        packet().await;
        drop(guard);
    });
}
