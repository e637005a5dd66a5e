// Wrong: a guard is held across an `await`, after which the future may be on another thread.
// Instead: drop it before, and access again afterwards.
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::{platform::Sim, Devres, Plain};

/// As an executor's `spawn`.
fn spawn(_: impl Future<Output = ()> + Send + 'static) {}

async fn packet() {}

fn watch(packets: Devres<Plain<AtomicU32>, Sim>) {
    spawn(async move {
        if let Some(packets) = packets.try_access() {
            packet().await;
            packets.get().fetch_add(1, Ordering::Relaxed);
        }
    });
}

fn main() {}
