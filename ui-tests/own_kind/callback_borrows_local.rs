// Wrong: what is captured by a callback of a platform's own kind dies before the scope does.
// Instead: `scope.own(..)`, or a value that is moved in.
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::platform::registration::{self, Callback, Signature};
use driver_scope::{platform::Sim, DriverScope, Error};

struct OnEdge;
impl Signature for OnEdge {
    type Context<'c> = u32;
    type Output = ();
}

fn on_edge<'drv, F>(scope: &DriverScope<'drv, Sim>, callback: F) -> Result<(), Error>
where
    F: FnMut(&mut u32) + Send + 'drv,
{
    let name = registration::name(scope);
    Callback::<Sim, OnEdge>::new(scope, name, callback).map(drop)
}

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let count = AtomicU32::new(0);
    on_edge(scope, |_| _ = count.fetch_add(1, Ordering::Relaxed))
}

fn main() {}
