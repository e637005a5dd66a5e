// Wrong: a `Revocable` of what must stay on its thread (a `MutexGuard` is `Sync`, but not `Send`) is shared: any thread may revoke it,
// and so drop the value.
// Instead: put the `Mutex` into it.
use std::sync::MutexGuard;

use driver_scope::{platform::Sim, Revocable};

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn share(locked: &Revocable<MutexGuard<'_, u32>, Sim>) {
    on_another_thread(move || drop(locked.try_access()));
}

fn main() {}
