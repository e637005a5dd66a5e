// Wrong: a value that must be pinned is lent as pinned by a `Revocable` that is not.
// Instead: pin the `Revocable` first: `Box::pin(..)`, `pin!(..)`.
use std::marker::PhantomPinned;
use std::pin::Pin;

use driver_scope::{platform::Sim, Revocable};

fn main() {
    let node = Revocable::new(Sim::new(), PhantomPinned);
    let _guard = Pin::new(&node).try_access_pin();
}
