// Wrong: the `Revocable` moves while a guard borrows it.
// Instead: put it where it stays first: into an `Arc`, a `static`, the scope.
use driver_scope::{platform::Sim, Revocable};

fn main() {
    let number = Revocable::new(Sim::new(), 1);
    let guard = number.try_access();
    let boxed = Box::new(number);
    assert_eq!(guard.as_deref(), boxed.try_access().as_deref());
}
