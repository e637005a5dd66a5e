// Wrong: a read section goes to another thread. It ends where it began.
// Instead: enter one on each thread.
use driver_scope::{platform::Sim, ReadSection};

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn main() {
    let sim = Sim::new();
    let section = ReadSection::enter(&sim);
    on_another_thread(move || drop(section));
}
