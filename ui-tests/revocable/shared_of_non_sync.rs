// Wrong: a `Revocable` of what must not be shared is shared: each guard lends the same value.
// Instead: a value that is `Sync`: an atomic, a `Lock`.
use std::cell::Cell;

use driver_scope::{platform::Sim, Revocable};

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn main() {
    let number = Revocable::new(Sim::new(), Cell::new(1));
    on_another_thread(|| assert!(number.try_access_with(Cell::get).is_some()));
}
