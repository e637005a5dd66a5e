//! The driver's end: under way, with handles forgotten, and nothing after it.

use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;

use driver_scope::platform::{HostDma, Platform};
use driver_scope::{enter, Error, HrTimer, Irq, IrqReturn, MaySleep, PciDevice, Units, Work};
use edu::registers::{Causes, EduRegs, INTERRUPT_RAISE};

use super::interrupts::let_it_reach_memory;
use super::{until, Bound};
use crate::User;

/// Longer than a transfer of the device's, which takes 100 ms whatever it moves. What was under way at a removal is over then.
const A_TRANSFER: Duration = Duration::from_millis(150);

/// A cause that the device never has by itself.
const BY_HAND: Causes = Causes::from_bits_retain(1 << 20);

/// How often what was forgotten has been called.
#[derive(Clone, Default)]
pub struct Calls {
    timer: Arc<AtomicU32>,
    work: Arc<AtomicU32>,
    irq: Arc<AtomicU32>,
}

impl Calls {
    fn now(&self) -> [u32; 3] {
        [&self.timer, &self.work, &self.irq].map(|count| count.load(Ordering::Relaxed))
    }
}

/// What would end it all, if it were not forgotten.
struct Guard<'drv, P: Platform>(HrTimer<'drv, P>, Work<'drv, P>, Irq<'drv, P>);

impl<P: Platform> Drop for Guard<'_, P> {
    fn drop(&mut self) {
        let _ = self.0.try_cancel();
        let _ = self.1.try_cancel();
        self.2.disable();
    }
}

/// A timer, work and a handler whose handles are forgotten, and which go on.
pub fn forget<D: HostDma>(bound: &Bound<D>, calls: &Calls, cx: MaySleep<'_>) -> Result<(), String> {
    let Calls { timer, work, irq } = calls.clone();
    bound
        .with_scope(cx, |_, scope| {
            let timer = scope.named("forgotten timer").hrtimer(move |t| {
                timer.fetch_add(1, Ordering::Relaxed);
                t.forward(1.millis())
            })?;
            let work = scope.named("forgotten work").work(move |w| {
                work.fetch_add(1, Ordering::Relaxed);
                w.requeue_after(1.millis())
            })?;
            let line = bound.device().irq(0)?;
            let irq = scope.named("forgotten handler").irq(line, move |_| {
                irq.fetch_add(1, Ordering::Relaxed);
                IrqReturn::None
            })?;
            timer.start(1.millis())?;
            work.queue()?;
            mem::forget(Guard(timer, work, irq));
            Ok::<_, Error>(())
        })
        .map_err(|error| error.to_string())?;
    // For the handler, which has the line with the driver's.
    bound
        .with(|edu| edu.start_factorial(5))
        .map_err(|error| error.to_string())?;
    until(bound, cx, || calls.now().iter().all(|&calls| calls > 0))?;
    until(bound, cx, || !bound.with(|edu| edu.is_computing()))
}

/// Removes the driver with a factorial and, where it can, a transfer under way, and all of its timers, work and handlers there.
pub fn under_way<D: HostDma>(
    bound: Bound<D>,
    cx: MaySleep<'_>,
) -> Result<PciDevice<User<D>>, String> {
    let begun = bound.with(|edu| {
        edu.start_factorial(9)?;
        match edu.receive(0, 4096) {
            Err(edu::Error::NoDma) => Ok(()),
            begun => begun,
        }
    });
    begun.map_err(|error| error.to_string())?;
    bound.unbind(cx).map_err(|error| error.to_string())
}

/// Nothing of the driver is called any more, also when the device raises an interrupt.
pub fn nothing_late<D: HostDma>(
    user: &User<D>,
    function: &PciDevice<User<D>>,
    calls: &Calls,
    cx: MaySleep<'_>,
) -> Result<(), String> {
    let at_remove = calls.now();
    let raised = enter(user.clone(), cx, function, |function, scope| {
        let regs = scope.map::<EduRegs>(function.bar(0)?)?;
        // What the device was at when the driver was removed goes on: with its interrupt, and to where the driver's memory was. If that is a fault, the kernel
        // tells of it now, and not on the console among lines of ours.
        let_it_reach_memory(scope, function)?;
        regs.write(INTERRUPT_RAISE, BY_HAND);
        scope.sleep(A_TRANSFER);
        Ok::<_, Error>(())
    });
    raised.map_err(|error| error.to_string())?;
    match calls.now() {
        now if now == at_remove => Ok(()),
        now => Err(format!(
            "calls of what was forgotten: {at_remove:?}, then {now:?}"
        )),
    }
}
