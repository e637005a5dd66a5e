// Wrong: the value is got out of its pinned guard as if it were not pinned; it could be moved then.
// Instead: use it pinned: `guard.as_ref()`.
use std::marker::PhantomPinned;
use std::ops::Deref;
use std::pin::Pin;

use driver_scope::{platform::Sim, Revocable};

/// As `Pin::into_inner`.
fn into_inner<G: Deref<Target: Unpin>>(_: Pin<G>) {}

fn unpin(node: Pin<&Revocable<PhantomPinned, Sim>>) {
    if let Some(guard) = node.try_access_pin() {
        into_inner(guard);
    }
}

fn main() {}
