//! What a platform promises of its timers.

use core::ptr::NonNull;
use core::time::Duration;

use crate::context::MaySleep;
use crate::error::Error;
use crate::time::Instant;
use crate::timer::TimerMode;

/// The function that a platform calls when a timer expires, with the context given at [`init`](Timers::init) and the instant that the timer
/// was armed for.
///
/// `extern "C"`, so that a panic that nothing caught aborts instead of unwinding into the platform.
pub type TimerEntry = unsafe extern "C" fn(context: *const (), expires: Instant);

/// The timers of a platform.
///
/// The platform brings its own [`Node`](Timers::Node). Nodes sit in the scope's memory, pinned: they are initialised in place, never moved, and not touched by
/// the crate. A C `struct hrtimer` fits. A platform that has only a clock and an alarm implements [`Monitor`](crate::timer::queue::Monitor) instead, around a
/// [`Queue`](crate::timer::queue::Queue), and has its timers by that.
///
/// # Safety
/// An implementation promises:
///
/// 1. **Entries.** A node's entry is called only between its `init` and the return of its `shut`, and only after an `arm` that came
///    after that `init`. It may be called while another call of it runs (the crate sorts that out).
/// 2. **No entry from `arm`.** `arm` never calls an entry on its caller's stack while the platform holds a lock.
/// 3. **`shut` linearises against `arm`.** When it returns, no entry of the node runs, and no earlier, concurrent or later `arm` has any
///    effect. What every entry did happens before its return. `cancel` waits likewise, but the node may be armed again afterwards.
/// 4. **The last touch.** After an entry has returned and a waiter could have seen that, the platform touches neither node nor context;
///    the store that tells is a release store (or an unlock) through a raw pointer. What waiters sleep on lives in memory that
///    outlives the scope.
/// 5. **Work.** The entry of a node whose mode [may sleep](TimerMode::may_sleep) is called where one may sleep, though
///    [`in_callback`](crate::Platform::in_callback) is true there as well, and never by an `arm`.
pub unsafe trait Timers: Sync {
    /// A timer, as it lies in the scope's memory.
    type Node: Send + Sync;

    /// Makes a timer in place, not armed. All its instants are of the mode's clock.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a mode that these timers cannot keep to; what else the platform lacks. Then `node` stays uninitialised.
    ///
    /// # Safety
    /// `node` points to memory for a [`Node`](Timers::Node), which stays where it is. Until the return of `shut` it is valid and
    /// `entry(context, _)` is sound to call from any context. The crate drops the node in place, but only after that.
    unsafe fn init(
        &self,
        node: *mut Self::Node,
        mode: TimerMode,
        entry: TimerEntry,
        context: *const (),
    ) -> Result<(), Error>;

    /// Has the entry called at `at` or as soon after it as can be; at once if that is past. It may be called later by as much as the `slack`, and better so
    /// if then it is called together with others; without a slack, by as much as the node was last armed with. Whenever it is called, it is
    /// told `at`.
    ///
    /// # Errors
    /// [`Error::Closed`] when the node was shut.
    ///
    /// # Safety
    /// `node` was initialised by `init` of these timers and has not been dropped. The same goes for the five below.
    unsafe fn arm(
        &self,
        node: NonNull<Self::Node>,
        at: Instant,
        slack: Option<Duration>,
        how: Arm,
    ) -> Result<(), Error>;

    /// What the node is doing at this moment.
    ///
    /// # Safety
    /// As for [`arm`](Timers::arm).
    unsafe fn state(&self, node: NonNull<Self::Node>) -> TimerState;

    /// Disarms without waiting, also while the entry runs. (Where the timers beneath refuse that, as Linux's do, the platform
    /// remembers it and keeps the expiry to itself.)
    ///
    /// # Safety
    /// As for [`arm`](Timers::arm).
    unsafe fn try_cancel(&self, node: NonNull<Self::Node>) -> TryCancel;

    /// Disarms, and waits until no entry of the node runs; what is armed while it waits, by that entry or elsewhere, is disarmed
    /// as well. Says whether the node was armed or running. An entry that arms its node again and again must not keep it waiting.
    ///
    /// `stalled` is called about once a second while it waits, where the platform can.
    ///
    /// # Safety
    /// As for [`arm`](Timers::arm). Called inside an entry of the node, it must not return: that entry runs.
    unsafe fn cancel(
        &self,
        node: NonNull<Self::Node>,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool;

    /// Has the entry called at once if the node is armed, as if that had been for `now`, and waits until it has been called for that; and for
    /// each entry that had begun before. Says whether there was anything to wait for. If the node is disarmed meanwhile, or armed for another instant, that is not
    /// waited for. Nor is what is armed later: an entry that arms its node again and again must not keep it waiting.
    ///
    /// For nodes whose mode [may sleep](TimerMode::may_sleep) alone. `stalled` as in [`cancel`](Timers::cancel).
    ///
    /// # Safety
    /// As for [`arm`](Timers::arm). Called inside a callback, it need not return: a platform may call all work one after the other.
    unsafe fn flush(
        &self,
        node: NonNull<Self::Node>,
        now: Instant,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool;

    /// Disarms for good and waits: promise 3. Says what the node was doing.
    ///
    /// `stalled` as in [`cancel`](Timers::cancel).
    ///
    /// # Safety
    /// As for [`cancel`](Timers::cancel).
    unsafe fn shut(
        &self,
        node: NonNull<Self::Node>,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> TimerState;
}

/// How to arm a timer that may be armed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arm {
    /// The new instant replaces the old: a start.
    Replace,
    /// An instant set meanwhile stays: what a callback that asks for a restart wants.
    IfIdle,
}

/// What a timer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerState {
    /// It will expire.
    pub armed: bool,
    /// Its callback runs.
    pub running: bool,
    /// The instant that it was last armed for.
    pub expires: Option<Instant>,
}

/// What an attempt to cancel without waiting found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryCancel {
    /// The timer was neither armed nor running.
    Idle,
    /// It was armed and now is not.
    Cancelled,
    /// Its callback runs at this moment. An expiry that was pending besides is cancelled, but the callback may restart the timer.
    Running,
}
