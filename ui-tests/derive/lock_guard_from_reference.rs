// Wrong: the guard of a lock is made of a reference to its value, by `into`.
// Instead: `lock.lock()`.
// Refused: the trait bound `LockGuard<'_, u32, Sim>: From<&mut u32>` is not satisfied
use driver_scope::{platform::Sim, LockGuard};

fn guard(value: &mut u32) -> LockGuard<'_, u32, Sim> {
    value.into()
}

fn main() {}
