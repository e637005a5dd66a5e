// Wrong: a guard goes to another thread. The read section that it stands for ends where it began.
// Instead: take a reference to the `Revocable` along (or an `Arc` of it), and access it there.
use driver_scope::{platform::Sim, RevocableGuard};

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn send(guard: RevocableGuard<'_, u32, Sim>) {
    on_another_thread(move || drop(guard));
}

fn main() {}
