// Wrong: the scope is shared with another thread.
// Instead: register on the thread that has the scope; the handles may go to the other (`HrTimer` is `Send`).
use driver_scope::{platform::Sim, DriverScope, Restart};

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn probe(scope: &DriverScope<'_, Sim>) {
    on_another_thread(|| {
        let _ = scope.hrtimer(|_| Restart::No);
    });
}

fn main() {}
