// Wrong: a method for drivers takes callbacks that may borrow for less than the scope's life.
// Instead: `F: .. + Send + 'drv`, with the scope's own lifetime.
use driver_scope::platform::registration::{self, Callback, Signature};
use driver_scope::{platform::Sim, DriverScope, Error};

struct OnEdge;
impl Signature for OnEdge {
    type Context<'c> = u32;
    type Output = ();
}

fn on_edge<'drv, 'short, F>(scope: &DriverScope<'drv, Sim>, callback: F) -> Result<(), Error>
where
    F: FnMut(&mut u32) + Send + 'short,
{
    let name = registration::name(scope);
    Callback::<Sim, OnEdge>::new(scope, name, callback).map(drop)
}

fn main() {}
