//! What a platform promises: memory, time, contexts, locks, and a bus to reach devices over.
//!
//! This is the crate's only boundary to the world below it, and the only trait whose implementation takes `unsafe`.
//! Ready-made: [`Host`] (threads and real time), [`Sim`] (virtual time, deterministic), both with feature `std`.
//! A platform that has only a clock and an alarm gets its timers from [`crate::timer::queue`].

use core::alloc::Layout;
use core::ptr::NonNull;
use core::time::Duration;

use crate::context::{ContextId, MaySleep};
use crate::error::Error;
use crate::event::Event;
use crate::mmio::Word;
use crate::time::Instant;

mod fixed;
pub(crate) mod unwind;

#[cfg(all(feature = "std", not(loom)))]
pub(crate) mod contexts;
#[cfg(all(feature = "std", not(loom)))]
mod deferred;
#[cfg(all(feature = "std", not(loom)))]
mod emulated;
#[cfg(all(feature = "std", not(loom)))]
mod host;
#[cfg(all(feature = "std", not(loom)))]
mod raw_lock;
#[cfg(all(feature = "std", not(loom)))]
mod sim;

pub use fixed::FixedMemory;

#[cfg(all(feature = "std", not(loom)))]
pub use deferred::DeferredNode;
#[cfg(all(feature = "std", not(loom)))]
pub use emulated::{Emulated, Io, Mapped, Model, Region};
#[cfg(all(feature = "std", not(loom)))]
pub use host::Host;
#[cfg(all(feature = "std", not(loom)))]
pub use raw_lock::StdRawLock;
#[cfg(all(feature = "std", not(loom)))]
pub use sim::{Sim, SimTimer};

/// The function that a platform calls when a timer expires, with the context given at
/// [`timer_init`](Platform::timer_init) and the instant that the timer was armed for.
///
/// `extern "C"`, so that a panic that nothing caught aborts instead of unwinding into the platform.
pub type TimerEntry = unsafe extern "C" fn(context: *const (), expires: Instant);

/// A function to be called later where one may sleep; see [`Platform::defer`].
pub type DeferredEntry = unsafe extern "C" fn(argument: *mut ());

/// The ground a driver scope stands on.
///
/// A value, not a type full of statics: a test has its own [`Sim`], and two hosts in one process know nothing of each
/// other. Clones are the same platform.
///
/// # Timers
/// The platform brings its own node type, [`Timer`](Platform::Timer). Nodes sit in the scope's memory, pinned: they are
/// initialised in place, never moved, and not touched by the crate. A C `struct hrtimer` fits.
///
/// # Safety
/// The crate's soundness rests on the following. An implementation promises:
///
/// 1. **Entries.** A node's entry is called only between its `timer_init` and the return of its `timer_shut`, and only
///    after a `timer_arm` that came after that `timer_init`. It may be called while another call of it runs (the crate
///    sorts that out).
/// 2. **No entry from `timer_arm`.** `timer_arm` never calls an entry on its caller's stack while the platform holds a
///    lock.
/// 3. **`timer_shut` linearises against `timer_arm`.** When it returns, no entry of the node runs, and no earlier,
///    concurrent or later `timer_arm` has any effect. What every entry did happens before its return.
///    `timer_cancel` waits likewise, but the node may be armed again afterwards.
/// 4. **The last touch.** After an entry has returned and a waiter could have seen that, the platform touches neither node
///    nor context; the store that tells is a release store (or an unlock) through a raw pointer. What waiters sleep on
///    lives in memory that outlives the scope.
/// 5. **Contexts.** `timer_arm`, `timer_try_cancel`, `timer_state`, the raw lock, `context`, `in_callback`, `now`, `defer`,
///    `trace`, and the clone and drop of the platform itself, work from any context, hard interrupt included; the others are called only where one may sleep — as far as
///    a [`MaySleep`] tells: to be called elsewhere may be a bug, but no implementation may be unsound for it. What was
///    given to `defer` runs where one may sleep, outside every callback.
/// 6. **Memory.** A block fits any value of its layout, is nobody else's, and stays put until given back. Only the crate
///    gives it back.
/// 7. **Identity.** `context()` differs for contexts that can be live at once and is the same throughout one call of
///    an entry. A `Clone` is the same platform in all of the above.
/// 8. Neither the methods nor `clone` and the drop of the platform unwind, but `sleep`, which the crate calls for the driver
///    alone. The crate's own functions passed in (`stalled`, entries) do not unwind.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no platform",
    label = "`Platform` is not implemented for it",
    note = "platforms are passed by value: a `clone()` is the same platform"
)]
pub unsafe trait Platform: Clone + Send + Sync + Sized + 'static {
    /// How devices are reached.
    type Bus: Bus;

    /// A lock that every context may take; see [`Lock`](crate::Lock).
    type RawLock: RawLock + Default;

    /// The platform's timer, as it lies in the scope's memory.
    type Timer: Send + Sync;

    /// What [`defer`](Platform::defer) needs to remember one call.
    type Deferred: Send + Sync;

    /// Asks for memory.
    ///
    /// Context: may sleep. `None` when there is none. The crate never asks for a layout of size zero; but since this is safe to
    /// call, an implementation must be sound for that, too.
    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>>;

    /// Gives memory back.
    ///
    /// # Safety
    /// `block` came from [`allocate`](Platform::allocate) of this platform with this `layout` and is not used again.
    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout);

    /// The context that the caller runs in.
    fn context(&self) -> ContextId;

    /// Whether the caller runs inside a callback of any scope, or wherever else a teardown must not wait.
    ///
    /// A `Binding` dropped there is torn down later, through [`defer`](Platform::defer).
    fn in_callback(&self) -> bool;

    /// Waits. On a platform with virtual time, lets time pass.
    fn sleep(&self, cx: MaySleep<'_>, delay: Duration);

    /// Calls `run(argument)` later, once, where one may sleep and outside every callback.
    ///
    /// # Safety
    /// `node` points to memory for a [`Deferred`](Platform::Deferred), uninitialised, not used by anything else, and valid until `run` is
    /// called; `run` may free it. `run(argument)` is sound to call on any thread until then.
    unsafe fn defer(&self, node: *mut Self::Deferred, run: DeferredEntry, argument: *mut ());

    /// The present, on the clock that timers are armed by.
    fn now(&self) -> Instant;

    /// Makes a timer in place, not armed.
    ///
    /// # Errors
    /// What the platform lacks; then `node` stays uninitialised.
    ///
    /// # Safety
    /// `node` points to memory for a [`Timer`](Platform::Timer), which stays where it is. Until the return of `timer_shut` it is valid and
    /// `entry(context, _)` is sound to call from any context. The crate drops the node in place, but only after that.
    unsafe fn timer_init(
        &self,
        node: *mut Self::Timer,
        entry: TimerEntry,
        context: *const (),
    ) -> Result<(), Error>;

    /// Has the entry called at `at` or as soon after it as can be; at once if that is past.
    ///
    /// # Errors
    /// [`Error::Closed`] when the node was shut.
    ///
    /// # Safety
    /// `node` was initialised by `timer_init` of this platform and has not been dropped. The same goes for the four below.
    unsafe fn timer_arm(
        &self,
        node: NonNull<Self::Timer>,
        at: Instant,
        how: Arm,
    ) -> Result<(), Error>;

    /// What the node is doing at this moment.
    ///
    /// # Safety
    /// As for [`timer_arm`](Platform::timer_arm).
    unsafe fn timer_state(&self, node: NonNull<Self::Timer>) -> TimerState;

    /// Disarms without waiting, also while the entry runs. (Where the timers beneath refuse that, as Linux's do, the platform
    /// remembers it and keeps the expiry to itself.)
    ///
    /// # Safety
    /// As for [`timer_arm`](Platform::timer_arm).
    unsafe fn timer_try_cancel(&self, node: NonNull<Self::Timer>) -> TryCancel;

    /// Disarms, and waits until no entry of the node runs; what is armed while it waits, by that entry or elsewhere, is disarmed
    /// as well. Says whether the node was armed or running. An entry that arms its node again and again must not keep it waiting.
    ///
    /// `stalled` is called about once a second while it waits, where the platform can.
    ///
    /// # Safety
    /// As for [`timer_arm`](Platform::timer_arm). The caller is not inside an entry of the node.
    unsafe fn timer_cancel(
        &self,
        node: NonNull<Self::Timer>,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool;

    /// Disarms for good and waits: promise 3. Says what the node was doing.
    ///
    /// `stalled` as in [`timer_cancel`](Platform::timer_cancel).
    ///
    /// # Safety
    /// As for [`timer_arm`](Platform::timer_arm). Called inside an entry of the node, it must not return: that entry runs.
    unsafe fn timer_shut(
        &self,
        node: NonNull<Self::Timer>,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> TimerState;

    /// Is told what happens to scopes: each step of a teardown, each panic that was caught.
    ///
    /// Must be quick, and must not call into the crate.
    fn trace(&self, event: &Event<'_>) {
        let _ = event;
    }
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

/// A lock for any context: interrupts masked on a real machine, a blocking lock on a hosted one.
///
/// Best without drop glue: then a [`Lock`](crate::Lock) of something that needs no `Drop` may be [`alloc`](crate::DriverScope::alloc)ated, and hold what
/// borrows from the scope.
///
/// # Safety
/// Between `lock` and `unlock` no other `lock` of the same lock returns, and what the holder did happens before the next
/// `lock` returns. A new lock (its `Default`) is free.
pub unsafe trait RawLock: Send + Sync {
    /// What must be put back at unlock, such as the interrupt state.
    type Saved: Copy;

    /// Waits for the lock and takes it. Not recursive.
    fn lock(&self) -> Self::Saved;

    /// Gives the lock back.
    ///
    /// # Safety
    /// The caller's context holds the lock, and `saved` is what that `lock` returned.
    unsafe fn unlock(&self, saved: Self::Saved);
}

/// How a platform reaches the registers of a device.
///
/// On a real machine `Io` is an address and an access is one volatile instruction ([`Word::read_volatile`]); a platform for
/// tests sends it to a model.
///
/// # Safety
/// An implementation promises: a mapping stays valid and at the same [`Io`](Bus::Io) until it is dropped; it is at least as large as
/// [`size`](Bus::size) says and aligned to 8 bytes at least; accesses inside it are neither torn nor data races, from any context; a region
/// is never mapped twice at the same time.
pub unsafe trait Bus: 'static {
    /// Names something that can be mapped, such as a BAR.
    type Region: Send + Sync + 'static;

    /// An established mapping; dropping it ends it.
    type Mapping: Send + Sync + 'static;

    /// What an access needs to know of a mapping: the address, on a real machine.
    type Io: Copy + Send + Sync;

    /// Maps a region.
    ///
    /// Context: may sleep.
    ///
    /// # Errors
    /// [`Error::AlreadyMapped`], or what the platform lacks.
    fn map(region: &Self::Region) -> Result<Self::Mapping, Error>;

    /// The size of a mapping, in bytes.
    fn size(mapping: &Self::Mapping) -> usize;

    /// What its accesses need.
    fn io(mapping: &Self::Mapping) -> Self::Io;

    /// Reads a register.
    ///
    /// # Safety
    /// `io` is of a mapping that has not been dropped; `offset` is a multiple of the width, and the access ends inside the
    /// mapping.
    unsafe fn read<T: Word>(io: Self::Io, offset: usize) -> T;

    /// Writes a register.
    ///
    /// # Safety
    /// As for [`read`](Bus::read).
    unsafe fn write<T: Word>(io: Self::Io, offset: usize, value: T);
}
