//! A timer as it lies in the scope's memory, and what happens when it expires.

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::time::Duration;

use crate::callback::{Callback, Running, Signature};
use crate::context::MaySleep;
use crate::error::Error;
use crate::event::{Event, Kind, Name, Outcome};
use crate::inspect::{self, Details};
use crate::platform::{Arm, Platform, TimerState, Timers, TryCancel};
use crate::scope::inner::Core;
use crate::scope::registry::Registration;
use crate::scope::DriverScope;
use crate::sync::{AtomicBool, Ordering, UnsafeCell};
use crate::time::Instant;
use crate::timer::context::{now, Restart, TimerContext};
use crate::timer::counters::Counters;
use crate::timer::mode::{Clock, TimerMode};

pub(crate) struct TimerNode<P: Platform> {
    core: NonNull<Core<P>>,
    name: Name,
    mode: TimerMode,
    running: Running,
    /// Whether there is a callback; set once.
    ready: AtomicBool,
    /// Whether the callback has panicked.
    panicked: AtomicBool,
    counters: Counters,
    callback: UnsafeCell<Option<Callback<Expiry<P>>>>,
    /// The platform's own node: initialised in place, then only touched by the platform.
    timer: UnsafeCell<MaybeUninit<<P::Timers as Timers>::Node>>,
}

/// The signature of a timer's callback.
struct Expiry<P>(PhantomData<fn() -> P>);

impl<P: Platform> Signature for Expiry<P> {
    type Context<'c> = TimerContext<'c, P>;
    type Output = Restart;
}

// SAFETY: what goes from one context to another here is the closure, which is `Send` (`set_callback`) and called by the one
// context that has set `running`; the platform's node is `Send + Sync`; the rest is atomic or written before the node is shared. [SHARED, ALONE]
unsafe impl<P: Platform> Send for TimerNode<P> {}
// SAFETY: as above. [SHARED, ALONE]
unsafe impl<P: Platform> Sync for TimerNode<P> {}

impl<P: Platform> TimerNode<P> {
    /// Makes a timer without a callback, owned by the scope.
    pub(crate) fn register_with(
        scope: &DriverScope<'_, P>,
        name: Name,
        mode: TimerMode,
    ) -> Result<NonNull<Self>, Error> {
        // From here on the clock can be read: see `now`.
        if scope.platform().clock(mode.clock).is_none() {
            return Err(Error::Unsupported);
        }
        // SAFETY: the memory of a registration, ours alone until that is published. [ARENA]
        let init = |place: NonNull<Self>| unsafe { Self::init(place, scope, name, mode) };
        let undo = |place: NonNull<Self>| {
            // SAFETY: `init` initialised the node, which nobody else has seen. [LISTED]
            unsafe {
                place.as_ref().shut_unseen(scope);
                Registration::<P>::release(place.as_ref());
            }
        };
        // SAFETY: as the two closures say. [LISTED]
        unsafe { scope.register(name, init, undo) }
    }

    /// Makes a timer in place.
    ///
    /// # Errors
    /// What the platform lacks. Then there is nothing at the place to be dropped.
    ///
    /// # Safety
    /// `place` is memory for one in the memory of this scope, and the caller's alone. The clock of the mode is there.
    pub(crate) unsafe fn init(
        place: NonNull<Self>,
        scope: &DriverScope<'_, P>,
        name: Name,
        mode: TimerMode,
    ) -> Result<(), Error> {
        // SAFETY: as the caller says. The place stays where it is and valid until the scope's memory is freed, after `shut`. `entry` may be
        // called with this context from anywhere until then. [STAYS, SHUT, CALLER]
        unsafe {
            place.write(TimerNode {
                core: NonNull::from(scope.core()),
                name,
                mode,
                running: Running::new(),
                ready: AtomicBool::new(false),
                panicked: AtomicBool::new(false),
                counters: Counters::new(),
                callback: UnsafeCell::new(None),
                timer: UnsafeCell::new(MaybeUninit::uninit()),
            });
            let node = place.as_ref().timer_place();
            let context = place.as_ptr() as *const ();
            let timers = scope.platform().timers();
            timers.init(node.as_ptr(), mode, entry::<P>, context)
        }
    }

    /// Shuts a timer that was never armed.
    ///
    /// # Safety
    /// It is in this scope, and nobody else has seen it.
    pub(crate) unsafe fn shut_unseen(&self, scope: &DriverScope<'_, P>) {
        let timers = scope.platform().timers();
        // SAFETY: initialised, and no entry of it was ever called. [CALLER]
        let _ = unsafe { timers.shut(self.timer_place(), scope.may_sleep(), &|| {}) };
    }

    fn core(&self) -> &Core<P> {
        // SAFETY: the core outlives the scope's memory, in which this node lies. [STAYS]
        unsafe { self.core.as_ref() }
    }

    pub(crate) fn platform(&self) -> &P {
        &self.core().platform
    }

    pub(crate) fn name(&self) -> Name {
        self.name
    }

    pub(crate) fn mode(&self) -> TimerMode {
        self.mode
    }

    /// The present, by the timer's clock.
    #[inline]
    pub(crate) fn now(&self) -> Instant {
        now(self.platform(), self.mode.clock)
    }

    fn timer_place(&self) -> NonNull<<P::Timers as Timers>::Node> {
        // The address of the platform's node. Not an access: the crate never looks at it. (`with`, since loom takes `with_mut`
        // for a write, and several contexts may be here.)
        let place = self
            .timer
            .with(|timer| timer.cast_mut().cast::<<P::Timers as Timers>::Node>());
        // SAFETY: the address of a field is not null. [LOCAL]
        unsafe { NonNull::new_unchecked(place) }
    }

    /// Starts the timer for this very instant.
    #[inline]
    pub(crate) fn arm(&self, at: Instant, how: Arm) -> Result<(), Error> {
        self.arm_within(at, Some(Duration::ZERO), how)
    }

    /// Starts the timer for this instant or up to `slack` later; without one, that of the last start.
    #[inline]
    pub(crate) fn arm_within(
        &self,
        at: Instant,
        slack: Option<Duration>,
        how: Arm,
    ) -> Result<(), Error> {
        // Acquire: pairs with the Release in `set_callback`, so that a context that starts the timer (and what the platform
        // then calls) sees the callback.
        if !self.ready.load(Ordering::Acquire) {
            return Err(Error::Vacant);
        }
        // Relaxed, both: they only give an early answer. A start that misses `closing` meets `Timers::shut`; one that misses
        // `panicked` has its entry turned away.
        if self.panicked.load(Ordering::Relaxed) {
            return Err(Error::Panicked);
        }
        if self.core().is_closing() {
            return Err(Error::Closed);
        }
        // SAFETY: initialised at `register`, and not released while a handle exists. [LISTED, STAYS]
        unsafe {
            self.platform()
                .timers()
                .arm(self.timer_place(), at, slack, how)
        }
    }

    pub(crate) fn state(&self) -> TimerState {
        // SAFETY: as in `arm`. [LISTED, STAYS]
        unsafe { self.platform().timers().state(self.timer_place()) }
    }

    pub(crate) fn try_cancel(&self) -> TryCancel {
        // SAFETY: as in `arm`. [LISTED, STAYS]
        unsafe { self.platform().timers().try_cancel(self.timer_place()) }
    }

    pub(crate) fn cancel(&self, cx: MaySleep<'_>) -> Result<bool, Error> {
        if self.running.is_of(self.platform().context()) {
            return Err(Error::Deadlock);
        }
        // SAFETY: as in `arm`; not inside the node's entry, as just found. [LISTED, STAYS]
        Ok(unsafe {
            self.platform()
                .timers()
                .cancel(self.timer_place(), cx, &|| self.stalled())
        })
    }

    pub(crate) fn flush(&self, cx: MaySleep<'_>) -> Result<bool, Error> {
        // Not only in its own: see `Timers::flush`.
        if self.platform().in_callback() {
            return Err(Error::Deadlock);
        }
        // SAFETY: as in `arm`; in no callback, as just found. [LISTED, STAYS]
        Ok(unsafe {
            self.platform()
                .timers()
                .flush(self.timer_place(), self.now(), cx, &|| self.stalled())
        })
    }

    fn stalled(&self) {
        self.platform().trace(&Event::Stalled {
            driver: self.core().driver,
            name: &self.name,
        });
    }

    /// Runs the callback for an expiry, unless another context is running it: then that one runs it again.
    fn expire(&self, mut expires: Instant) {
        let me = self.platform().context();
        if !self.running.enter(me) {
            self.counters.merged();
            return;
        }
        loop {
            self.run(expires);
            if self.running.leave(me) {
                return;
            }
            expires = self.now();
        }
    }

    /// Runs the callback once, and does what it asks for. The caller has set `running`.
    fn run(&self, expires: Instant) {
        if self.panicked.load(Ordering::Relaxed) {
            return;
        }
        let begun = self.platform().now();
        // How late it is, on its own clock; how long it takes, on the one that is never set.
        let present = match self.mode.clock {
            Clock::Monotonic => begun,
            clock => now(self.platform(), clock),
        };
        self.counters.begin(expires, present);
        let mut context = TimerContext::new(self.platform(), self.mode.clock, expires);
        let restart = self.core().guarded(Some(&self.name), || {
            self.callback.with(|callback| {
                // SAFETY: `arm` found `ready`, so the callback is there, and it is not written again before every entry has
                // ended. `running` keeps every other context from calling it. [ALONE, CLAIMED, SHUT]
                unsafe {
                    (*callback)
                        .as_ref()
                        .map(|callback| callback.call(&mut context))
                }
            })
        });
        let ended = self.platform().now();
        self.counters.end(begun, ended, context.overrun());
        // The restart must be in place before `running` is given up and the platform sees the entry end: a cancel that waits
        // for the entry then finds it and undoes it.
        match restart {
            Some(Some(Restart::At(at))) => {
                // Refused only when the scope is closing, and then it is as it should be.
                let _ = self.arm_within(at, None, Arm::IfIdle);
            }
            Some(Some(Restart::Refused(error))) => {
                self.counters.refused();
                self.platform().trace(&Event::Refused {
                    driver: self.core().driver,
                    name: &self.name,
                    error,
                });
            }
            Some(Some(Restart::No) | None) => {}
            None => {
                // Relaxed: see `arm`; the next run is ordered by `running`.
                self.panicked.store(true, Ordering::Relaxed);
                // A start made meanwhile would only be turned away when it expires.
                let _ = self.try_cancel();
            }
        }
    }
}

/// The platform's way in.
///
/// # Safety
/// `context` is a `TimerNode<P>` between `Timers::init` and the return of `Timers::shut`.
unsafe extern "C" fn entry<P: Platform>(context: *const (), expires: Instant) {
    // A reference local to this call: it is gone when the platform says that the entry has ended, which is when the node's
    // memory may go (trap 14).
    // SAFETY: the caller's promise; nodes are only ever borrowed shared. [CALLER]
    let node = unsafe { &*context.cast::<TimerNode<P>>() };
    node.expire(expires);
}

/// Puts a closure into the scope's memory and makes it the timer's callback.
///
/// # Safety
/// The node is registered in this scope, and this is called once per node.
pub(crate) unsafe fn set_callback<'drv, P, F>(
    scope: &DriverScope<'drv, P>,
    node: NonNull<TimerNode<P>>,
    callback: F,
) -> Result<(), Error>
where
    P: Platform,
    F: FnMut(&mut TimerContext<'_, P>) -> Restart + Send + 'drv,
{
    let callback = Callback::<Expiry<P>>::new(scope, callback)?;
    // SAFETY: alive, being registered; `ready` is not set, so nobody looks at the callback. [CLAIMED, CALLER]
    unsafe {
        node.as_ref()
            .callback
            .with_mut(|slot| *slot = Some(callback));
        // Release: pairs with the Acquire in `arm`.
        node.as_ref().ready.store(true, Ordering::Release);
    }
    Ok(())
}

// SAFETY: the platform calls `entry` no more when `Timers::shut` has returned (its promise 3), and the callback is called from
// there alone. [SHUT, PROMISE]
unsafe impl<P: Platform> Registration<P> for TimerNode<P> {
    const KIND: Kind = Kind::Timer;

    fn shut(&self, core: &Core<P>, _name: &Name, cx: MaySleep<'_>) -> Option<Outcome> {
        // SAFETY: initialised, not released. Inside the node's own entry this would not return: then nothing is destroyed either. [LISTED, STAYS]
        let state = unsafe {
            core.platform
                .timers()
                .shut(self.timer_place(), cx, &|| self.stalled())
        };
        Some(match state {
            TimerState { running: true, .. } => Outcome::WaitedFor,
            TimerState {
                armed: true,
                expires,
                ..
            } => Outcome::Cancelled(expires.unwrap_or_default()),
            _ => Outcome::Idle,
        })
    }

    fn inspect(&self) -> Details {
        Details::Timer(inspect::Timer {
            // Relaxed, both: they tell, and nothing is done about it.
            vacant: !self.ready.load(Ordering::Relaxed),
            panicked: self.panicked.load(Ordering::Relaxed),
            ..self.counters.report(self.state())
        })
    }

    unsafe fn destroy(&self) -> bool {
        // SAFETY: no entry runs or will run, so nobody looks at the callback. [SHUT, PHASES]
        let callback = self.callback.with_mut(|slot| unsafe { (*slot).take() });
        match callback {
            Some(callback) => {
                // SAFETY: as said; the memory is there until the release. [SHUT, STAYS]
                unsafe { callback.destroy() };
                true
            }
            None => false,
        }
    }

    unsafe fn release(&self) -> bool {
        // SAFETY: initialised by `Timers::init`, shut, and dropped this once; nobody uses it afterwards. [PHASES]
        self.timer.with_mut(|timer| unsafe {
            ptr::drop_in_place(timer.cast::<<P::Timers as Timers>::Node>())
        });
        false
    }
}
