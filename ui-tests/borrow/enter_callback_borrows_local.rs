// Wrong: a callback borrows a local of the function around `enter`.
// Instead: pass it in as the environment: `enter(platform, cx, &ticks, |ticks, scope| ..)`.
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    let ticks = AtomicU32::new(0);
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, scope| {
            let _ = scope.hrtimer(|_| {
                ticks.fetch_add(1, Ordering::Relaxed);
                Restart::No
            });
        });
    });
}
