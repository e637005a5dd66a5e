//! Handlers in two parts: one that looks, and one that may sleep.

use core::panic::Location;

use crate::error::Error;
use crate::irq::{Irq, IrqContext, IrqReturn};
use crate::platform::{Irqs, Platform};
use crate::scope::DriverScope;
use crate::sync::{AtomicBool, Once, Ordering};
use crate::timer::Restart;
use crate::work::{Work, WorkContext};

/// What the two parts share.
struct Shared<'drv, P: Platform> {
    /// Set when the handler is on its line.
    irq: Once<Irq<'drv, P>>,
    /// Whether the check has disabled it, for the thread to enable it. So a `disable` of the driver's own is not undone.
    masked: AtomicBool,
    /// Whether the thread has panicked.
    gone: AtomicBool,
}

impl<P: Platform> Shared<'_, P> {
    /// By the check: has the line disabled for the thread. `false` if there is no thread any more; then it is not disabled.
    fn mask(&self, irq: Irq<'_, P>) -> bool {
        irq.disable();
        // AcqRel, with that in `unmask`. Of the two, one comes first: if it is this one, that finds it, comes after the `disable`, and enables; if not, this finds that
        // the thread is gone.
        if self.masked.swap(true, Ordering::AcqRel) {
            // Somebody has enabled it meanwhile; once is enough.
            irq.enable();
        }
        let gone = self.is_gone();
        if gone {
            self.unmask(irq);
        }
        !gone
    }

    fn unmask(&self, irq: Irq<'_, P>) {
        // AcqRel: see `mask`.
        if self.masked.swap(false, Ordering::AcqRel) {
            irq.enable();
        }
    }

    /// Of two that come here, the later sees what the earlier did before. Says whether the line is disabled for the thread.
    fn meet(&self) -> bool {
        // AcqRel: pairs with itself.
        self.masked.fetch_or(false, Ordering::AcqRel)
    }

    fn is_gone(&self) -> bool {
        // Relaxed: ordered by `masked`, where that matters.
        self.gone.load(Ordering::Relaxed)
    }
}

/// Has the line enabled when the thread has ended, by a panic too: others may be on it.
struct Running<'a, 'drv, P: Platform> {
    shared: &'a Shared<'drv, P>,
    returned: bool,
}

impl<P: Platform> Drop for Running<'_, '_, P> {
    fn drop(&mut self) {
        if !self.returned {
            // Relaxed: see `is_gone`.
            self.shared.gone.store(true, Ordering::Relaxed);
        }
        self.shared.meet();
        // If the handler is called before its registration has returned, that looks after the thread once more.
        if let Some(&irq) = self.shared.irq.get() {
            self.shared.unmask(irq);
        }
    }
}

impl<'drv, P: Platform> DriverScope<'drv, P> {
    /// Puts a handler in two parts on an interrupt line. `check` is a handler as in [`irq`](DriverScope::irq); when it returns [`IrqReturn::WakeThread`], `thread` is called
    /// where it may sleep, and until it has returned the line is disabled: so a device whose line stays high until the thread has seen to it
    /// is not asked again.
    ///
    /// The thread is [work](DriverScope::work), whose handle comes with that of the handler: to wait for both, [`Irq::disable_sync`], then [`Work::flush`]. It is not to be
    /// cancelled: the line would stay disabled. It may be queued, and is then called without an interrupt.
    ///
    /// ```
    /// use core::sync::atomic::{AtomicU32, Ordering};
    /// use driver_scope::platform::{IrqLine, Sim};
    /// use driver_scope::{enter, IrqReturn, Units};
    ///
    /// let sim = Sim::new();
    /// let line = IrqLine::new();
    /// let seen = AtomicU32::new(0);
    /// sim.may_sleep(|cx| {
    ///     enter(sim.clone(), cx, &(&line, &seen), |&(line, seen), scope| {
    ///         scope.irq_threaded(
    ///             line,
    ///             |_| IrqReturn::WakeThread,
    ///             move |w| {
    ///                 w.sleep(2.millis()); // a slow bus
    ///                 seen.fetch_add(1, Ordering::Relaxed);
    ///                 line.set_level(false);
    ///             },
    ///         )?;
    ///         line.set_level(true);
    ///         scope.sleep(10.millis());
    ///         Ok::<(), driver_scope::Error>(())
    ///     })
    /// })?;
    /// assert_eq!(seen.load(Ordering::Relaxed), 1);
    /// # Ok::<(), driver_scope::Error>(())
    /// ```
    ///
    /// A thread that panics is, where that can be caught, reported; both parts are from then on as if they were not there.
    ///
    /// # Errors
    /// As for [`irq`](DriverScope::irq) and [`work`](DriverScope::work). The `check` is then dropped; the `thread` is, or it is with the scope, and not called.
    #[track_caller]
    pub fn irq_threaded<C, T>(
        &self,
        line: &<P::Irqs as Irqs>::Line,
        mut check: C,
        mut thread: T,
    ) -> Result<(Irq<'drv, P>, Work<'drv, P>), Error>
    where
        C: FnMut(&mut IrqContext<'_, P>) -> IrqReturn + Send + 'drv,
        T: FnMut(&mut WorkContext<'_, P>) + Send + 'drv,
    {
        let label = self.next_name(Location::caller()).label();
        // Both are called the same.
        let named = || label.map_or(self, |label| self.named(label));
        let shared: &'drv Shared<'drv, P> = self.alloc(Shared {
            irq: Once::new(),
            masked: AtomicBool::new(false),
            gone: AtomicBool::new(false),
        })?;
        let work = named().work(move |w| {
            let mut running = Running {
                shared,
                returned: false,
            };
            thread(w);
            running.returned = true;
            Restart::No
        })?;
        let irq = named().irq(line, move |cx| {
            if shared.is_gone() {
                return IrqReturn::None;
            }
            let result = check(cx);
            if result == IrqReturn::WakeThread {
                if !shared.mask(cx.irq()) {
                    return IrqReturn::None;
                }
                // If that is refused, since the scope is closing, the line stays disabled until it is shut.
                let _ = work.queue();
            }
            result
        })?;
        let _ = shared.irq.set(irq);
        // If it was called already, the thread may have found no handle to enable it by.
        let masked = shared.meet();
        if shared.is_gone() {
            shared.unmask(irq);
        } else if masked {
            let _ = work.queue();
        }
        Ok((irq, work))
    }
}
