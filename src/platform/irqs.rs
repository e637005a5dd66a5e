//! What a platform promises of its interrupts.

use core::convert::Infallible;
use core::ptr::NonNull;

use crate::context::MaySleep;
use crate::error::Error;

/// The function that a platform calls when a line has been raised, with the context given at [`init`](Irqs::init). It says whether the interrupt
/// was from its device: on a shared line, it may have been from another.
///
/// `extern "C"`, so that a panic that nothing caught aborts instead of unwinding into the platform.
pub type IrqEntry = unsafe extern "C" fn(context: *const ()) -> bool;

/// The function that a platform calls when it has switched off the line of a handler; see [`watch`](Irqs::watch).
pub type IrqStorm = unsafe extern "C" fn(context: *const ());

/// The interrupts of a platform.
///
/// The platform brings its own [`Node`](Irqs::Node): one handler on one line. Nodes sit in the scope's memory, pinned: they are initialised in place, never
/// moved, and not touched by the crate. A platform without interrupts has [`NoIrqs`].
///
/// # Safety
/// An implementation promises:
///
/// 1. **Entries.** A node's entry is called only between its `init` and the return of its `shut`: from within `init` on, since a line may be
///    raised at any time. By the first call the node is initialised, so that the entry may disable it. Never twice at the same time, on whatever processors; nor beside itself on one stack. What came before `init`, and what an entry
///    did, happens before the next entry.
/// 2. **Not on a caller's stack.** Neither `init` nor `enable` calls the entry on its caller's stack while the platform holds a lock; no access of the bus
///    calls it there at all.
/// 3. **`shut`.** When it returns, no entry of the node runs, and none is called any more, whatever the line does. What every entry did happens
///    before its return. `synchronize` waits likewise, for the entries that had begun when it was called.
/// 4. **The last touch.** After an entry has returned and a waiter could have seen that, the platform touches neither node nor context; what waiters
///    sleep on lives in memory that outlives the scope.
pub unsafe trait Irqs: Sync {
    /// Names an interrupt line, or a message. A device has them; see [`PciDevice::irq`](crate::PciDevice::irq).
    type Line: Send + Sync + 'static;

    /// A handler on a line, as it lies in the scope's memory.
    type Node: Send + Sync;

    /// Puts a handler on a line, in place, enabled.
    ///
    /// # Errors
    /// What the platform lacks. Then `node` stays uninitialised, and the entry has not been called.
    ///
    /// # Safety
    /// `node` points to memory for a [`Node`](Irqs::Node), which stays where it is. Until the return of `shut` it is valid and `entry(context)` is
    /// sound to call from any context. The crate drops the node in place, but only after that.
    unsafe fn init(
        &self,
        node: *mut Self::Node,
        line: &Self::Line,
        entry: IrqEntry,
        context: *const (),
    ) -> Result<(), Error>;

    /// Tells the platform whom to call if it ever switches the line off, because it is raised again and again and nobody handles it: `storm`, with
    /// the context given at `init`, on the same terms as the entry. A platform that does not do that leaves this out.
    ///
    /// # Safety
    /// As for [`enable`](Irqs::enable), and once. Until the return of `shut`, `storm(context)` is sound to call from any context.
    unsafe fn watch(&self, node: NonNull<Self::Node>, storm: IrqStorm) {
        let _ = (node, storm);
    }

    /// Has the entry called again for what the line does, as before the same number of [`disable`](Irqs::disable)s. What came in between is
    /// not lost: the entry is called for it, once. Without a `disable` before it, or after `shut`, it does nothing.
    ///
    /// # Safety
    /// `node` was initialised by `init` of these interrupts and has not been dropped. The same goes for the four below.
    unsafe fn enable(&self, node: NonNull<Self::Node>);

    /// Has the entry not called until it is [`enable`](Irqs::enable)d as often. A call that has begun goes on. (It may keep the line from
    /// all its handlers: a line that stays high for the device of this one would never be quiet.)
    ///
    /// # Safety
    /// As for [`enable`](Irqs::enable).
    unsafe fn disable(&self, node: NonNull<Self::Node>);

    /// What the node is doing at this moment.
    ///
    /// # Safety
    /// As for [`enable`](Irqs::enable).
    unsafe fn state(&self, node: NonNull<Self::Node>) -> IrqState;

    /// Whether the caller runs inside an entry of the node: then a wait for it would be one for itself, and is refused. A platform that cannot tell says
    /// no, as here; such a wait is then a hang.
    ///
    /// # Safety
    /// As for [`enable`](Irqs::enable).
    unsafe fn is_inside(&self, node: NonNull<Self::Node>) -> bool {
        let _ = node;
        false
    }

    /// Waits until no entry of the node runs that had begun before. Says whether there was one.
    ///
    /// `stalled` is called about once a second while it waits, where the platform can.
    ///
    /// # Safety
    /// As for [`enable`](Irqs::enable). Called inside an entry of the node, it must not return: that entry runs.
    unsafe fn synchronize(
        &self,
        node: NonNull<Self::Node>,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> bool;

    /// Takes the handler off its line for good and waits: promise 3. Says what the node was doing.
    ///
    /// `stalled` as in [`synchronize`](Irqs::synchronize).
    ///
    /// # Safety
    /// As for [`synchronize`](Irqs::synchronize).
    unsafe fn shut(
        &self,
        node: NonNull<Self::Node>,
        cx: MaySleep<'_>,
        stalled: &dyn Fn(),
    ) -> IrqState;
}

/// What a handler on a line is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IrqState {
    /// Its entry is called for what the line does.
    pub enabled: bool,
    /// Its entry runs.
    pub running: bool,
}

/// The interrupts of a platform that has none: there are no lines.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoIrqs;

// SAFETY: there is no line, so no node is ever initialised. [PROMISE]
unsafe impl Irqs for NoIrqs {
    type Line = Infallible;
    type Node = Infallible;

    unsafe fn init(
        &self,
        _node: *mut Infallible,
        line: &Infallible,
        _entry: IrqEntry,
        _context: *const (),
    ) -> Result<(), Error> {
        match *line {}
    }

    unsafe fn enable(&self, node: NonNull<Infallible>) {
        none(node)
    }

    unsafe fn disable(&self, node: NonNull<Infallible>) {
        none(node)
    }

    unsafe fn state(&self, node: NonNull<Infallible>) -> IrqState {
        none(node)
    }

    unsafe fn synchronize(
        &self,
        node: NonNull<Infallible>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> bool {
        none(node)
    }

    unsafe fn shut(
        &self,
        node: NonNull<Infallible>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> IrqState {
        none(node)
    }
}

fn none(_node: NonNull<Infallible>) -> ! {
    unreachable!("no node was ever initialised")
}
