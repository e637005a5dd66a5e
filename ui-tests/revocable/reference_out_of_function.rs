// Wrong: a function accesses the value, and returns a reference that should live as long as the `Revocable`.
// Instead: return the guard: `Option<RevocableGuard<'_, Vec<u8>, Sim>>`.
use driver_scope::{platform::Sim, Revocable};

fn bytes(bytes: &Revocable<Vec<u8>, Sim>) -> Option<&[u8]> {
    let guard = bytes.try_access()?;
    Some(&guard)
}

fn main() {}
