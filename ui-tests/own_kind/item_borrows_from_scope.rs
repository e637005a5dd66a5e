// Wrong: an item of a platform's own kind borrows from the scope. It is dropped when what it borrows has been.
// Instead: what borrows is in the `Callback`, which is destroyed in its phase.
use std::sync::atomic::AtomicU32;

use driver_scope::event::Outcome;
use driver_scope::platform::registration::{self, Registration};
use driver_scope::{platform::Sim, DriverScope, Error, MaySleep};

struct Edge<'drv>(&'drv AtomicU32);

unsafe impl<'drv> Registration<Sim> for Edge<'drv> {
    const KIND: &'static str = "edge";

    fn shut(&self, _: &Sim, _: MaySleep<'_>, _: &dyn Fn()) -> Outcome {
        Outcome::Idle
    }
}

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let count = scope.own(AtomicU32::new(0))?;
    registration::register(scope, registration::name(scope), Edge(count)).map(drop)
}

fn main() {}
