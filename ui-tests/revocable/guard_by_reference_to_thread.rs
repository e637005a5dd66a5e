// Wrong: another thread borrows a guard. (It could end its own section on the strength of it.)
// Instead: take a reference to the `Revocable` along, and access it there.
use driver_scope::{platform::Sim, Revocable};

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn main() {
    let number = Revocable::new(Sim::new(), 1);
    let guard = number.try_access().unwrap();
    let guard = &guard;
    on_another_thread(move || assert_eq!(**guard, 1));
}
