// Wrong: the reference that `try_access_with` lends is kept in a variable outside.
// Instead: use it inside the closure, or use `try_access` and keep the guard.
use driver_scope::{platform::Sim, Revocable};

fn main() {
    let bytes = Revocable::new(Sim::new(), vec![1, 2, 3]);
    let mut kept: Option<&Vec<u8>> = None;
    bytes.try_access_with(|bytes| kept = Some(bytes));
    assert!(kept.is_some());
}
