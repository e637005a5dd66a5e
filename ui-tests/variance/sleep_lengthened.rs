// Wrong: a future is passed off as one that lives for ever, so that it can be spawned.
// Instead: await it in a task that ends with the scope; or call by a `Port`.
// Refused: returning this value requires that `'drv` must outlive `'static`
use std::future::Future;

use driver_scope::{platform::Sim, Error, Sleeper, Units};

fn lengthen<'drv>(
    sleeper: Sleeper<'drv, Sim>,
) -> impl Future<Output = Result<(), Error>> + 'static {
    sleeper.sleep(1.millis())
}

fn main() {}
