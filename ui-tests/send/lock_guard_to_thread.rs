// Wrong: a lock's guard goes to another thread. The lock must be given back where it was taken.
// Instead: take the lock on that thread.
use driver_scope::{platform::Sim, Lock};

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn main() {
    let lock: Lock<u32, Sim> = Lock::new(0);
    let guard = lock.lock();
    on_another_thread(move || drop(guard));
}
