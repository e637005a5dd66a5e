// Wrong: a guard is used to write. Other readers may have one, too.
// Instead: a value that can be written to when shared: an atomic, a `Lock`.
use driver_scope::{platform::Sim, Revocable};

fn main() {
    let number = Revocable::new(Sim::new(), 1);
    let guard = number.try_access().unwrap();
    *guard = 2;
}
