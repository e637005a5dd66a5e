// Wrong: the `Revocable` itself is dropped while a guard borrows it.
// Instead: `revoke` it, which waits for the guards; or drop the guard first.
use driver_scope::{platform::Sim, Revocable};

fn main() {
    let number = Revocable::new(Sim::new(), 1);
    let guard = number.try_access();
    drop(number);
    assert_eq!(guard.as_deref(), Some(&1));
}
