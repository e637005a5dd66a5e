// Wrong: a reference to the value is used after its guard has been dropped; the value may be gone.
// Instead: drop the guard when its last use is over.
use driver_scope::{platform::Sim, Revocable};

fn first(bytes: &Revocable<Vec<u8>, Sim>) -> Option<u8> {
    let guard = bytes.try_access()?;
    let bytes: &[u8] = &guard;
    drop(guard);
    bytes.first().copied()
}

fn main() {}
