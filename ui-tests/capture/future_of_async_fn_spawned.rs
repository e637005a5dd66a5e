// Wrong: the future of an `async fn` in a trait is spawned. It holds the handle that the function was given.
// Instead: a task that is given a `Devres`, or calls by a `Port`.
// Refused: argument requires that `'1` must outlive `'static`
use std::future::Future;

use driver_scope::{platform::Sim, Sleeper, Units};

#[allow(async_fn_in_trait)]
trait Reset {
    async fn reset(self);
}

impl Reset for Sleeper<'_, Sim> {
    async fn reset(self) {
        let _ = self.sleep(1.millis()).await;
    }
}

fn spawn(_: impl Future<Output = ()> + 'static) {}

fn begin(sleeper: Sleeper<'_, Sim>) {
    spawn(sleeper.reset());
}

fn main() {}
