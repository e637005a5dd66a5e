// Wrong: a scoped thread registers by the scope of the thread that waits for it. It may well sleep, but the scope is of one thread.
// Instead: each thread makes what it needs by `Binding::with_scope`, which lends a scope to whoever calls.
// Refused: a scope can be used only where it was lent: not in a callback, in driver data or on another thread
use driver_scope::{platform::Sim, DriverScope};

fn both(scope: &DriverScope<'_, Sim>) {
    std::thread::scope(|threads| {
        threads.spawn(|| scope.table().to_string());
    });
}

fn main() {}
