// Wrong: tells a platform's timer queue that a callback has ended while it runs; the teardown would not wait for it. Once it compiled.
// Instead: leave the queue to its platform. To wait for a callback, `HrTimer::cancel`.
use driver_scope::platform::Host;
use driver_scope::timer::queue::{Monitor, Queue};
use driver_scope::{DriverScope, Platform};

fn hurry(scope: &DriverScope<'_, Host>) {
    scope.platform().timers().with(0, Queue::finished);
}

fn main() {}
