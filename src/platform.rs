//! What a platform promises: memory, time, contexts, locks, and a bus to reach devices over.
//!
//! This is the crate's only boundary to the world below it: one trait and its parts, and the only ones whose implementation takes
//! `unsafe`.
//! Ready-made: [`Host`] (threads and real time), [`Sim`] (virtual time, deterministic), both with feature `std`.
//! A platform that has only a clock and an alarm gets its timers from [`crate::timer::queue`].

use core::alloc::Layout;
use core::panic::Location;
use core::ptr::NonNull;
use core::time::Duration;

use crate::context::{ContextId, MaySleep};
use crate::event::Event;
use crate::sections::Sections;
use crate::time::Instant;
use crate::timer::Clock;

mod barriers;
mod bus;
mod deferred;
mod device_memory;
mod dma;
mod fixed;
mod irqs;
#[cfg(all(
    feature = "barriers",
    any(
        target_arch = "x86",
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv32",
        target_arch = "riscv64"
    )
))]
mod machine_barriers;
pub mod registration;
mod timers;
pub(crate) mod unwind;

#[cfg(all(feature = "std", not(loom)))]
mod clocks;
#[cfg(all(feature = "std", not(loom)))]
pub(crate) mod contexts;
#[cfg(all(feature = "std", not(loom)))]
mod dma_space;
#[cfg(all(feature = "std", not(loom)))]
mod emulated;
#[cfg(all(feature = "std", not(loom)))]
pub mod fake;
#[cfg(all(feature = "std", not(loom)))]
mod heap;
#[cfg(all(feature = "std", not(loom)))]
mod host;
#[cfg(all(feature = "std", not(loom)))]
mod irq_line;
#[cfg(all(feature = "std", not(loom)))]
mod monitor;
#[cfg(all(feature = "std", not(loom)))]
mod raw_lock;
#[cfg(all(feature = "std", not(loom)))]
mod sim;
#[cfg(all(feature = "std", not(loom)))]
mod threads;

pub use barriers::Barriers;
pub(crate) use bus::opaque;
pub use bus::{Addressed, Bus};
pub use deferred::{DeferredCall, DeferredNode, DeferredQueue};
pub use device_memory::{DeviceMemory, MemoryBus};
pub use dma::{Dma, DmaBlock, NoDma};
pub use fixed::FixedMemory;
pub use irqs::{IrqEntry, IrqState, IrqStorm, Irqs, NoIrqs};
#[cfg(all(
    feature = "barriers",
    any(
        target_arch = "x86",
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv32",
        target_arch = "riscv64"
    )
))]
pub use machine_barriers::MachineBarriers;
pub use timers::{Arm, TimerEntry, TimerState, Timers, TryCancel};

#[cfg(all(feature = "std", not(loom)))]
pub use dma_space::{DmaClaim, DmaFault, DmaSpace, EmulatedDma};
#[cfg(all(feature = "std", not(loom)))]
pub use emulated::{Emulated, Io, Mapped, Model, Region};
#[cfg(all(feature = "std", not(loom)))]
pub use fake::Fake;
#[cfg(all(feature = "std", not(loom)))]
pub use host::{Host, HostBuilder, HostDma};
#[cfg(all(feature = "std", not(loom)))]
pub use irq_line::{IrqLine, LineHandler, LineIrqs};
#[cfg(all(feature = "std", not(loom)))]
pub use monitor::HostTimers;
#[cfg(all(feature = "std", not(loom)))]
pub use raw_lock::StdRawLock;
#[cfg(all(feature = "std", not(loom)))]
pub use sim::{Sim, SimTimer};
#[cfg(all(feature = "std", not(loom), target_os = "linux"))]
pub use threads::Membarrier;
#[cfg(all(feature = "std", not(loom)))]
pub use threads::{Fenced, Fences, ThreadSections, Threads};

/// The read sections of a hosted platform: the fastest that the system has. (Miri has no membarrier(2).)
#[cfg(all(feature = "std", not(loom), target_os = "linux", not(miri)))]
pub type HostSections = ThreadSections<Membarrier>;
/// The read sections of a hosted platform: the fastest that the system has.
#[cfg(all(feature = "std", not(loom), any(not(target_os = "linux"), miri)))]
pub type HostSections = ThreadSections<Fenced>;

/// A function to be called later where one may sleep; see [`Platform::defer`].
pub type DeferredEntry = unsafe extern "C" fn(argument: *mut ());

/// The ground a driver scope stands on.
///
/// A value, not a type full of statics: a test has its own [`Sim`], and two hosts in one process know nothing of each
/// other; but that on the hosted platforms read sections are the process's: a
/// [`ReadSection`](crate::ReadSection) is one on every platform, and inside any section nothing is removed at once. Clones are the same platform.
///
/// # Safety
/// The crate's soundness rests on the following, and on what the parts promise: [`Timers`], [`Irqs`], [`Dma`], [`Bus`], [`RawLock`], [`Sections`]. An implementation promises:
///
/// 1. **Contexts.** [`Timers::arm`], [`try_cancel`](Timers::try_cancel) and [`state`](Timers::state), [`Irqs::enable`], [`disable`](Irqs::disable) and [`state`](Irqs::state), the raw lock, `context`, `in_callback`, `now`, `clock`, `delay`, `defer`, `trace`,
///    `sections`, and the clone and drop of the platform itself, work from any context, hard interrupt included; the others are called only
///    where one may sleep, as far as a [`MaySleep`] tells: to be called elsewhere may be a bug, but no implementation may be unsound
///    for it. What was given to `defer` runs where one may sleep, outside every callback.
/// 2. **Memory.** A block fits any value of its layout, is nobody else's, and stays put until given back. Only the crate gives it back.
/// 3. **Identity.** `context()` differs for contexts that can be live at once and is the same throughout one call of an entry. A
///    `Clone` is the same platform in all of the above.
/// 4. **No unwinding.** A panic unwinds, or ends everything; or else [`PANICS_END_TASKS`](Platform::PANICS_END_TASKS) is true. Neither the methods, the parts' included, nor the clone and the drop of the platform unwind; but `sleep`, an access
///    of the bus and the drop of a mapping may: the crate makes them for the driver alone, or guarded. Its own functions passed in
///    (`stalled`, entries) do not unwind.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no platform",
    label = "`Platform` is not implemented for it",
    note = "platforms are passed by value: a `clone()` is the same platform"
)]
pub unsafe trait Platform: Clone + Send + Sync + Sized + 'static {
    /// Whether a panic ends the task that it happens in, and gives its stack to others, while all else goes on; without unwinding. An oops of Linux does. [`enter`](crate::enter), whose scope lies on the stack,
    /// does not compile for such a platform: what was registered would go on, on a stack that is gone.
    const PANICS_END_TASKS: bool = false;

    /// How devices are reached.
    type Bus: Bus;

    /// A lock that every context may take; see [`Lock`](crate::Lock).
    type RawLock: RawLock;

    /// Its timers; see [`Timers`].
    type Timers: Timers;

    /// Its interrupts; see [`Irqs`]. [`NoIrqs`] where there are none.
    type Irqs: Irqs;

    /// Its memory for devices; see [`Dma`]. [`NoDma`] where there is none.
    type Dma: Dma;

    /// Its read sections; see [`Sections`].
    type Sections: Sections;

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

    /// Whether `context` is the caller's own, or one that the caller's has interrupted: one that does not go on before the caller does. So a wait for it
    /// would have no end, and is refused with [`Error::Deadlock`](crate::Error::Deadlock); memory safety does not rest on it.
    fn is_beneath(&self, context: ContextId) -> bool {
        context == self.context()
    }

    /// Whether the caller runs inside a callback of any scope, or wherever else a teardown must not wait.
    ///
    /// A `Binding` dropped there is torn down later, through [`defer`](Platform::defer).
    fn in_callback(&self) -> bool;

    /// Waits. On a platform with virtual time, lets time pass.
    fn sleep(&self, cx: MaySleep<'_>, delay: Duration);

    /// Lets time pass without giving up the CPU: for a moment, from any context.
    ///
    /// On a platform with virtual time, that is moved on instead. (The default waits for [`now`](Platform::now) to change, so a wrapper of such a
    /// platform has to pass this on.)
    fn delay(&self, delay: Duration) {
        let until = self.now().saturating_add(delay);
        while self.now() < until {
            core::hint::spin_loop();
        }
    }

    /// Calls `run(argument)` later, once, where one may sleep and outside every callback.
    ///
    /// # Safety
    /// `node` points to memory for a [`Deferred`](Platform::Deferred), uninitialised, not used by anything else, and valid until `run` is
    /// called; `run` may free it. `run(argument)` is sound to call on any thread until then.
    unsafe fn defer(&self, node: *mut Self::Deferred, run: DeferredEntry, argument: *mut ());

    /// The present, by the monotonic clock.
    fn now(&self) -> Instant;

    /// The present by a clock; `None` if the platform has no such clock, and then never. (A wrapper has to pass this on.)
    fn clock(&self, clock: Clock) -> Option<Instant> {
        match clock {
            Clock::Monotonic => Some(self.now()),
            _ => None,
        }
    }

    /// The platform's timers.
    fn timers(&self) -> &Self::Timers;

    /// The platform's interrupts.
    fn irqs(&self) -> &Self::Irqs;

    /// The platform's memory for devices.
    fn dma(&self) -> &Self::Dma;

    /// The platform's read sections.
    fn sections(&self) -> &Self::Sections;

    /// Lets a moment pass, between two looks at something that another context is about to change. `round` counts the looks, from 0.
    ///
    /// Context: may sleep, as far as the token tells. An implementation spins a few rounds, then lets others run, and then sleeps, for longer
    /// and longer; one without others to let run can stay with spinning, as here.
    fn pause(&self, cx: MaySleep<'_>, round: u32) {
        let _ = (cx, round);
        core::hint::spin_loop();
    }

    /// Is told what happens to scopes: each step of a teardown, each panic that was caught.
    ///
    /// Must be quick, and must not call into the crate.
    fn trace(&self, event: &Event<'_>) {
        let _ = event;
    }
}

/// A lock for any context: interrupts masked on a real machine, a blocking lock on a hosted one.
///
/// Best without drop glue: then a [`Lock`](crate::Lock) of something that needs no `Drop` may be [`alloc`](crate::DriverScope::alloc)ated, and hold what
/// borrows from the scope.
///
/// # Safety
/// Between `lock` and `unlock` no other `lock` of the same lock returns, and what the holder did happens before the next
/// `lock` returns. A new lock is free. It may be moved whenever no method of it runs, also before it is first taken.
pub unsafe trait RawLock: Sized + Send + Sync {
    /// What must be put back at unlock, such as the interrupt state.
    type Saved: Copy;

    /// A new lock, which is free. `made_at` is the line that called [`Lock::new`](crate::Lock::new), or one of this crate's own.
    ///
    /// Context: any. The line is for a platform that checks the order in which locks are taken (Linux's lockdep): locks that were made at one line are of one
    /// kind. Others ignore it.
    fn new(made_at: &'static Location<'static>) -> Self;

    /// Waits for the lock and takes it. Not recursive.
    fn lock(&self) -> Self::Saved;

    /// Gives the lock back.
    ///
    /// # Safety
    /// The caller's context holds the lock, and `saved` is what that `lock` returned.
    unsafe fn unlock(&self, saved: Self::Saved);
}
