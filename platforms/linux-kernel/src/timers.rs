// SPDX-License-Identifier: GPL-2.0

//! Timers: an `hrtimer` for each; and for work, which may sleep, a `work_struct` that its `hrtimer` queues.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::time::Duration;

use driver_scope::platform::{Arm, TimerEntry, TimerState, Timers, TryCancel};
use driver_scope::timer::TimerMode;
use driver_scope::{Clock, Error, Instant, MaySleep};
use kernel::bindings;
use kernel::prelude::*;

use crate::alive::Alive;
use crate::context::{self, Worker};
use crate::lock::Spin;
use crate::{queue, time, waiting};

/// The kernel's timers and work queues.
pub struct Hrtimers;

/// A timer.
#[repr(C)]
pub struct Node {
    /// First, so that the kernel's pointer to it is one to the node.
    hrtimer: UnsafeCell<bindings::hrtimer>,
    /// Only initialised for work.
    work: UnsafeCell<MaybeUninit<bindings::work_struct>>,
    state: Spin<State>,
    mode: bindings::hrtimer_mode,
    clock: Clock,
    is_work: bool,
    entry: TimerEntry,
    context: *const (),
    _alive: Alive,
}

/// What the crate wants of the timer. The kernel's own state follows: it is changed under the same lock. (An expiry is not, and so may be one of what is not
/// wanted any more: then it is kept from the entry.)
struct State {
    /// For when it is armed.
    want: Option<Instant>,
    /// For when it was armed last.
    expires: Option<Instant>,
    slack: Duration,
    /// How many calls of the entry are under way.
    running: u32,
    /// How many cancels are waiting: what is armed meanwhile is disarmed.
    cancelling: u32,
    shut: bool,
}

impl State {
    fn get(&self) -> TimerState {
        TimerState {
            armed: self.want.is_some(),
            running: self.running > 0,
            expires: self.expires,
        }
    }
}

// SAFETY: the state is under its lock; the kernel's parts are changed by its functions alone, which may be called from any CPU; the rest is never written again. [SHARED, LOCKED]
unsafe impl Send for Node {}
// SAFETY: as above. [SHARED, LOCKED]
unsafe impl Sync for Node {}

impl Node {
    fn work(&self) -> *mut bindings::work_struct {
        self.work.get().cast()
    }

    /// Under the lock of `state`: has the kernel follow it.
    fn start(&self, at: Instant, slack: Duration) {
        if self.is_work && at.as_nanos() <= time::monotonic() && self.queue() {
            return;
        }
        // Never in the past: one that asks for that again and again would keep the kernel in its interrupt.
        let at = at.max(time::now(self.clock).unwrap_or(at));
        let slack = u64::try_from(slack.as_nanos()).unwrap_or(u64::MAX);
        // SAFETY: initialised; any context may start it; it is not called on our stack. [FOREIGN]
        unsafe {
            bindings::hrtimer_start_range_ns(
                self.hrtimer.get(),
                time::to_ktime(at),
                slack.min(1 << 62),
                self.mode,
            );
        }
    }

    /// Under the lock of `state`, for work: queues it now. False if its hrtimer is being called at this moment, and may be armed besides.
    fn queue(&self) -> bool {
        let stopped = self.stop();
        if stopped {
            // SAFETY: initialised, since it is work; any context may queue it. [FOREIGN]
            unsafe { queue::queue(self.work()) };
        }
        stopped
    }

    /// Under the lock of `state`, or when nothing is armed any more: takes the hrtimer out of its queue. False if it is being called at this moment.
    fn stop(&self) -> bool {
        // SAFETY: initialised; any context may do so. [FOREIGN]
        unsafe { bindings::hrtimer_try_to_cancel(self.hrtimer.get()) >= 0 }
    }

    /// Called by the kernel, when the timer expires or the work's turn has come.
    fn expire(&self) {
        let at = self.state.with(|state| {
            // SAFETY: initialised. It is queued again only under this lock; that it is taken out of the queue may be at any time, hence volatile, as in the kernel. [FOREIGN, LOCKED]
            if unsafe { ptr::addr_of!((*self.hrtimer.get()).is_queued).read_volatile() } {
                // It has been armed for another instant meanwhile.
                return None;
            }
            let at = state.want.take();
            state.running += u32::from(at.is_some());
            at
        });
        if let Some(at) = at {
            // SAFETY: not shut, or else nothing would be wanted; `shut` waits for the kernel's call that this is inside of. [SHUT]
            unsafe { (self.entry)(self.context, at) };
            self.state.with(|state| state.running -= 1);
        }
    }

    /// Waits until the kernel does not call it, when nothing is armed any more.
    fn settle(&self, stalled: &dyn Fn()) {
        waiting::until(stalled, || self.stop().then_some(()));
        if self.is_work {
            // So that a wait that lasts is reported; what the kernel waits for next is over soon.
            waiting::until(stalled, || {
                self.state.with(|state| (state.running == 0).then_some(()))
            });
            context::assert_may_sleep();
            // SAFETY: initialised, since it is work, and nobody queues it any more: the hrtimer is stopped. [FOREIGN]
            unsafe { bindings::cancel_work_sync(self.work()) };
        }
    }
}

/// The function of every hrtimer here.
///
/// # Safety
/// For the kernel: `hrtimer` is a node's, between `init` and the return of `shut`.
unsafe extern "C" fn expired(hrtimer: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
    // SAFETY: that of a node, of which it is the first part; the node is there until `shut` has returned, which waits for this call. [FOREIGN, SHUT]
    let node = unsafe { &*hrtimer.cast::<Node>() };
    if node.is_work {
        // SAFETY: initialised, since it is work. [FOREIGN]
        unsafe { queue::queue(node.work()) };
    } else {
        node.expire();
    }
    bindings::hrtimer_restart::HRTIMER_NORESTART
}

/// The function of all work here.
///
/// # Safety
/// For the kernel: `work` is a node's, between `init` and the return of `shut`.
unsafe extern "C" fn work_entry(work: *mut bindings::work_struct) {
    let _worker = Worker::begin();
    // SAFETY: that of a node, at this offset; the node is there until `shut` has returned, which waits for this call. [FOREIGN, SHUT]
    let node = unsafe {
        &*work
            .byte_sub(core::mem::offset_of!(Node, work))
            .cast::<Node>()
    };
    node.expire();
}

/// The kernel's mode, by absolute instants. Not soft means in the interrupt, whatever else the kernel would make of it.
fn mode_of(mode: TimerMode) -> bindings::hrtimer_mode {
    match (mode.soft, mode.pinned) {
        (false, false) => bindings::hrtimer_mode_HRTIMER_MODE_ABS_HARD,
        (false, true) => bindings::hrtimer_mode_HRTIMER_MODE_ABS_PINNED_HARD,
        (true, false) => bindings::hrtimer_mode_HRTIMER_MODE_ABS_SOFT,
        (true, true) => bindings::hrtimer_mode_HRTIMER_MODE_ABS_PINNED_SOFT,
    }
}

// SAFETY: the promises, by their numbers. 1: the kernel calls a timer, and runs work, only after it was started; `expire` finds nothing wanted but what was armed. 2: neither
// `hrtimer_start` nor `queue_work` calls anything. 3: `shut` says so under the lock that `arm` takes, so later ones are refused and earlier ones are seen; it then waits for
// the kernel's calls, each of which is around the entry's. 4: those waits end when the kernel's call has returned, not sooner. 5: work is called by a work queue. [PROMISE]
unsafe impl Timers for Hrtimers {
    type Node = Node;

    unsafe fn init(
        &self,
        node: *mut Node,
        mode: TimerMode,
        entry: TimerEntry,
        context: *const (),
    ) -> Result<(), Error> {
        let clock = time::clock_id(mode.clock).ok_or(Error::Unsupported)?;
        let new = Node {
            hrtimer: UnsafeCell::new(bindings::hrtimer::default()),
            work: UnsafeCell::new(MaybeUninit::zeroed()),
            state: Spin::new(State {
                want: None,
                expires: None,
                slack: Duration::ZERO,
                running: 0,
                cancelling: 0,
                shut: false,
            }),
            mode: mode_of(mode),
            clock: mode.clock,
            is_work: mode.may_sleep(),
            entry,
            context,
            _alive: Alive::new(),
        };
        // SAFETY: memory for a node, says the caller; it stays where it is, so the kernel's parts can be made in place. [CALLER]
        unsafe {
            node.write(new);
            bindings::hrtimer_setup((*node).hrtimer.get(), Some(expired), clock, mode_of(mode));
            if mode.may_sleep() {
                queue::init((*node).work(), work_entry);
            }
        }
        Ok(())
    }

    unsafe fn arm(
        &self,
        node: NonNull<Node>,
        at: Instant,
        slack: Option<Duration>,
        how: Arm,
    ) -> Result<(), Error> {
        // SAFETY: (this and those below) initialised, says the caller, and never written again as a whole. [CALLER]
        let node = unsafe { node.as_ref() };
        node.state.with(|state| {
            if state.shut {
                return Err(Error::Closed);
            }
            if state.cancelling > 0 || (how == Arm::IfIdle && state.want.is_some()) {
                return Ok(());
            }
            state.want = Some(at);
            state.expires = Some(at);
            state.slack = slack.unwrap_or(state.slack);
            node.start(at, state.slack);
            Ok(())
        })
    }

    unsafe fn state(&self, node: NonNull<Node>) -> TimerState {
        // SAFETY: see `arm`. [CALLER]
        let node = unsafe { node.as_ref() };
        node.state.with(|state| state.get())
    }

    unsafe fn try_cancel(&self, node: NonNull<Node>) -> TryCancel {
        // SAFETY: see `arm`. [CALLER]
        let node = unsafe { node.as_ref() };
        node.state.with(|state| {
            let wanted = state.want.take().is_some();
            if wanted {
                // If the kernel calls it at this moment, `expire` finds that it is not wanted.
                node.stop();
            }
            match (state.running > 0, wanted) {
                (true, _) => TryCancel::Running,
                (false, true) => TryCancel::Cancelled,
                (false, false) => TryCancel::Idle,
            }
        })
    }

    unsafe fn cancel(&self, node: NonNull<Node>, _cx: MaySleep<'_>, stalled: &dyn Fn()) -> bool {
        // SAFETY: see `arm`. [CALLER]
        let node = unsafe { node.as_ref() };
        let found = node.state.with(|state| {
            let found = state.get();
            state.want = None;
            state.cancelling += 1;
            found
        });
        node.settle(stalled);
        node.state.with(|state| state.cancelling -= 1);
        found.armed || found.running
    }

    unsafe fn flush(
        &self,
        node: NonNull<Node>,
        now: Instant,
        _cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool {
        // SAFETY: see `arm`. [CALLER]
        let node = unsafe { node.as_ref() };
        let mut found = None;
        let found = waiting::until(stalled, || {
            node.state.with(|state| {
                let first = found.is_none();
                let found = *found.get_or_insert(state.get());
                if first && found.armed {
                    state.want = Some(now);
                    state.expires = Some(now);
                }
                // Else it has been called, disarmed or armed for another instant.
                let is_ours = state.want == Some(now);
                (!is_ours || node.queue()).then_some(found)
            })
        });
        context::assert_may_sleep();
        // SAFETY: initialised: the caller says that it is work. [FOREIGN, CALLER]
        unsafe { bindings::flush_work(node.work()) };
        found.armed || found.running
    }

    unsafe fn shut(
        &self,
        node: NonNull<Node>,
        _cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> TimerState {
        // SAFETY: see `arm`. [CALLER]
        let node = unsafe { node.as_ref() };
        let found = node.state.with(|state| {
            let found = state.get();
            state.want = None;
            state.shut = true;
            found
        });
        node.settle(stalled);
        found
    }
}
