// Wrong: a read section is held across an `await`, after which the future may be on another thread.
// Instead: end it before, and enter another afterwards.
use std::future::Future;

use driver_scope::{platform::Sim, ReadSection};

/// As an executor's `spawn`.
fn spawn(_: impl Future<Output = ()> + Send) {}

async fn packet() {}

fn main() {
    let sim = Sim::new();
    spawn(async {
        let section = ReadSection::enter(&sim);
        packet().await;
        drop(section);
    });
}
