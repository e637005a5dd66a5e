// Wrong: `try_access_with` returns the reference that it lends.
// Instead: return what came of it, or use `try_access` and keep the guard.
use driver_scope::{platform::Sim, Revocable};

fn bytes(bytes: &Revocable<Vec<u8>, Sim>) -> Option<&Vec<u8>> {
    bytes.try_access_with(|bytes| bytes)
}

fn main() {}
