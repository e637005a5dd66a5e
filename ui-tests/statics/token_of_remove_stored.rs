// Wrong: an action for the end stores its proof that one may sleep where others find it.
// Instead: wait in the action itself: `timer.cancel(cx)`.
// Refused: argument requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, DriverScope, Error, MaySleep};

fn store(_: MaySleep<'static>) {}

fn probe(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    scope.on_remove(|cx| store(cx))
}

fn main() {}
