// Wrong: a resource that must stay on its thread (a `MutexGuard` is `Sync`, but not `Send`); the last handle may be dropped on any.
// Instead: members that are `Send`: here a reference to the `Mutex`.
use std::sync::MutexGuard;

use driver_scope::Family;

struct Locked<'a> {
    _count: MutexGuard<'a, u32>,
}
impl Family for Locked<'static> {
    type At<'a> = Locked<'a>;
}

fn main() {}
