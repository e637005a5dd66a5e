// What both borrows and needs `Drop`, split: the part with the `Drop` is owned, the other holds a reference to it.
#![forbid(unsafe_code)]

use driver_scope::platform::{Platform, Sim};
use driver_scope::{enter, DriverScope, Error, HrTimer, Lock, Restart};

struct Queue<'drv, P: Platform> {
    kick: HrTimer<'drv, P>,
    buf: &'drv Lock<Vec<u8>, P>,
}

fn queue<'drv, P: Platform>(scope: &DriverScope<'drv, P>) -> Result<&'drv Queue<'drv, P>, Error> {
    let buf = scope.own(Lock::new(Vec::new()))?;
    let kick = scope.hrtimer(move |_| {
        buf.lock().clear();
        Restart::No
    })?;
    scope.alloc(Queue { kick, buf })
}

fn main() {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |_, scope| {
            let queue = queue(scope)?;
            queue.buf.lock().push(1);
            queue.kick.start(core::time::Duration::ZERO)?;
            scope.sleep(core::time::Duration::from_nanos(1));
            assert!(queue.buf.lock().is_empty());
            Ok::<(), Error>(())
        })
    })
    .unwrap();
}
