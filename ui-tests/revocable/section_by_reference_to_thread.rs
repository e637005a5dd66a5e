// Wrong: what another thread reads is to be protected by this thread's section.
// Instead: enter one on each thread.
use driver_scope::{platform::Sim, ReadSection, Revocable};

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn main() {
    let sim = Sim::new();
    let number = Revocable::new(sim.clone(), 1);
    let section = ReadSection::enter(&sim);
    on_another_thread(|| assert!(number.try_access_with_guard(&section).is_some()));
}
