// Wrong: a callback borrows what the threads of a `thread::scope` inside the driver's scope may borrow: but that ends first.
// Instead: what both use is the scope's: `scope.own(..)`, or the environment of `enter`.
// Refused: argument requires that `count` is borrowed for `'1`
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use driver_scope::{platform::Sim, DriverScope, Restart};

fn count(scope: &DriverScope<'_, Sim>) {
    let count = AtomicU32::new(0);
    let count = &count;
    thread::scope(|threads| {
        threads.spawn(move || count.fetch_add(1, Ordering::Relaxed));
        let _ = scope.hrtimer(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Restart::No
        });
    });
}

fn main() {}
