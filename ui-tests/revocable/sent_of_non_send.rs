// Wrong: a `Revocable` of what must stay on its thread goes to another, with the value.
// Instead: a value that is `Send`: an `Arc` in place of the `Rc`.
use std::rc::Rc;

use driver_scope::{platform::Sim, Revocable};

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn main() {
    let number = Revocable::new(Sim::new(), Rc::new(1));
    on_another_thread(move || drop(number));
}
