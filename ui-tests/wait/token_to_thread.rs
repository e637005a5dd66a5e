// Wrong: the proof that one may sleep is given to another thread, of which it proves nothing.
// Instead: the other thread asks the platform for its own: `platform.may_sleep(|cx| ..)`.
use driver_scope::{platform::Sim, HrTimer, MaySleep};

/// As `std::thread::Scope::spawn`.
fn on_another_thread(_: impl FnOnce() + Send) {}

fn stop(timer: HrTimer<'_, Sim>, cx: MaySleep<'_>) {
    on_another_thread(move || {
        let _ = timer.cancel(cx);
    });
}

fn main() {}
