use core::fmt;
use core::ops::ControlFlow;
use core::ptr::NonNull;

use crate::sections::{Gate, Quick, Sections, Stuck};
use crate::sync::{fence, AtomicBool, AtomicUsize, Ordering};

/// The number of a gate: even, not zero, and no other gate's, before or after. (Should the numbers ever run out, a gate shares one with an old
/// gate, and waits for the readers of both.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateId(usize);

impl GateId {
    fn new() -> Self {
        // Not loom's: it orders nothing, and models need it to outlive an execution.
        static NEXT: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(2);
        loop {
            // Relaxed: only distinct numbers are wanted.
            let id = NEXT.fetch_add(2, core::sync::atomic::Ordering::Relaxed);
            if id != FREE {
                return GateId(id);
            }
        }
    }
}

/// How many sections of one context fit into one set of cells.
pub(crate) const CELLS: usize = if cfg!(loom) { 2 } else { 8 };

/// Nobody's section.
const FREE: usize = 0;
/// Marks the cell of a section on everything; the bits above number it, so that `wait` can tell one such section from the next.
const ALL: usize = 1;
#[cfg(not(loom))]
/// In the first cell of [`Cells::unregistered`]: looks like a section on everything, which it never was.
const TAKEN: usize = usize::MAX;

/// Where one context notes which gates it is inside of. Written by that context only; read by those who wait.
#[repr(align(128))]
pub struct Cells {
    /// Each is FREE, or the number of a gate, or ALL with a number.
    cells: [AtomicUsize; CELLS],
    /// The number of the next section on everything.
    next_all: AtomicUsize,
    /// Whether the context has ended with sections still in them.
    abandoned: AtomicBool,
}

impl Cells {
    /// Cells with no section in them.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        Cells {
            cells: [const { AtomicUsize::new(FREE) }; CELLS],
            next_all: AtomicUsize::new(0),
            abandoned: AtomicBool::new(false),
        }
    }

    /// Cells with no section in them.
    #[cfg(loom)]
    #[must_use]
    pub fn new() -> Self {
        Cells {
            cells: core::array::from_fn(|_| AtomicUsize::new(FREE)),
            next_all: AtomicUsize::new(0),
            abandoned: AtomicBool::new(false),
        }
    }

    /// Cells for contexts that have none yet: the first looks taken, so that a reader turns to [`Readers::more`]. Shared, and never written.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn unregistered() -> Self {
        let mut cells = Self::new();
        cells.cells[0] = AtomicUsize::new(TAKEN);
        cells
    }

    /// Whether a section fits. For the context that they belong to.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.free().is_some()
    }

    /// Tells that the context has ended, and says whether the cells may be another's now. If not, there are sections in them that
    /// were forgotten: they stay, and whoever waits for them is told.
    #[must_use]
    pub fn retire(&self) -> bool {
        // Relaxed: called by the context itself.
        let empty = self
            .cells
            .iter()
            .all(|cell| cell.load(Ordering::Relaxed) == FREE);
        if !empty {
            // Release: pairs with the Acquire in `wait`, which then sees what is in the cells for good.
            self.abandoned.store(true, Ordering::Release);
        }
        empty
    }

    fn free(&self) -> Option<&AtomicUsize> {
        // Relaxed: only this context writes to its cells.
        self.cells
            .iter()
            .find(|cell| cell.load(Ordering::Relaxed) == FREE)
    }

    /// Whether a section in them is on the gate or on everything; with no gate, on anything.
    fn hold(&self, gate: Option<GateId>) -> bool {
        self.cells.iter().any(|cell| {
            let now = cell.load(Ordering::Relaxed);
            match gate {
                None => now != FREE,
                Some(gate) => now == gate.0 || now & ALL != 0,
            }
        })
    }
}

impl Default for Cells {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cells")
    }
}

/// Whose cells to visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those of every context.
    All,
    /// Those of the calling context.
    Mine,
}

/// Finds the cells of contexts, and pays for the fences: the part of [`Slots`] that a platform brings.
///
/// # Safety
/// An implementation promises:
/// 1. Cells that `mine` and `more` return belong to the calling context until it ends, and nobody else's `mine` or `more` returns
///    them meanwhile; except that `mine` may return shared ones that have no room and are never written
///    ([`Cells::unregistered`]). They are not freed or moved while a section is in them, and what `more` found room in has room.
/// 2. `visit(All)` visits all cells that ever came from `mine` or `more` before a SeqCst fence that comes, in the order of such fences, before
///    the one that precedes the visit. `visit(Mine)` visits those of the calling context.
/// 3. If one context stores into a cell and then, after `light`, loads a word, and another stores into that word and then, after
///    `heavy`, loads the cell, one of them sees what the other stored. So `light` and `heavy` are both `fence(SeqCst)`, or `light` only holds back the
///    compiler and `heavy` has every CPU that runs a reader pass a fence. After `more`, `Slots` makes the reader's fence itself.
pub unsafe trait Readers: Send + Sync {
    /// The calling context's cells, in a few instructions.
    fn mine(&self) -> &Cells;

    /// Cells of the calling context with room for a section. Asked for when there is none in `mine`.
    fn more(&self) -> &Cells;

    /// Shows cells until told to stop.
    fn visit(
        &self,
        which: Which,
        visitor: &mut dyn FnMut(&Cells) -> ControlFlow<Stuck>,
    ) -> ControlFlow<Stuck>;

    /// Whether these are the same readers as `other`.
    fn covers(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }

    /// The reader's fence.
    fn light(&self);

    /// The fence of who waits.
    fn heavy(&self);
}

/// Each context notes in cells of its own which gates it is inside of. No two readers write to the same memory, and none executes an
/// atomic read-modify-write.
///
/// Who waits looks at every context's cells, for its own gate; so it waits for nobody else's readers.
pub struct Slots<R: Readers> {
    readers: R,
}

impl<R: Readers> Slots<R> {
    /// Sections of the contexts that `readers` knows.
    pub const fn new(readers: R) -> Self {
        Slots { readers }
    }

    /// Notes a section in a cell that is found, or made, for it.
    #[cold]
    #[inline(never)]
    fn enter_further(&self, value: impl FnOnce(&Cells) -> usize) -> &AtomicUsize {
        let cells = self.readers.more();
        let Some(cell) = cells.free() else {
            unreachable!("promised to have room");
        };
        // Release: as in `enter_quickly`.
        cell.store(value(cells), Ordering::Release);
        // In place of `light`: whatever the strategy, the context may be new.
        fence(Ordering::SeqCst);
        cell
    }

    /// The end of an entry: the section is noted in the cell, and counts if the gate is open.
    #[inline(always)]
    fn look(cell: &AtomicUsize, gate: &Gate<GateId>) -> Option<SlotSection> {
        if gate.is_open() {
            Some(SlotSection(NonNull::from(cell)))
        } else {
            // Release: as in `enter_quickly`.
            cell.store(FREE, Ordering::Release);
            None
        }
    }

    /// The value for the next section on everything.
    fn next_all(cells: &Cells) -> usize {
        // Relaxed: only this context writes it. The number wraps; a `wait` would have to sleep through half of all numbers.
        let number = cells.next_all.load(Ordering::Relaxed).wrapping_add(2);
        cells.next_all.store(number, Ordering::Relaxed);
        number | ALL
    }
}

impl<R: Readers> fmt::Debug for Slots<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slots")
    }
}

/// Reads a cell of the calling context, or one that nobody writes.
#[inline(always)]
fn own(cell: &AtomicUsize) -> usize {
    #[cfg(loom)]
    // Relaxed: only this context writes to it.
    return cell.load(Ordering::Relaxed);
    // An ordinary load, which compiles into the comparison that follows; an atomic one does not.
    #[cfg(not(loom))]
    // SAFETY: only this context writes to it, so this races with nothing. [INSIDE]
    return unsafe { cell.as_ptr().read() };
}

/// A section: the cell that it is noted in.
#[derive(Clone, Copy, Debug)]
pub struct SlotSection(NonNull<AtomicUsize>);

// SAFETY: the promises, by their numbers. 1: `is_open` is an Acquire load. 2: a reader notes the gate before it looks at the mark, and who
// waits sets the mark before it looks at the notes, with the fences of `Readers` between, so that a reader that saw the gate open is
// seen. A section that has ended is seen by an Acquire load of what its context stored then (by Release) or later: each store to a
// cell is Release, so also that of a following section. 3: loads and stores of the context's own cells. 4: nothing unwinds. [PROMISE]
unsafe impl<R: Readers> Sections for Slots<R> {
    type Id = GateId;
    type Section = SlotSection;

    fn new_id(&self) -> GateId {
        GateId::new()
    }

    #[inline(always)]
    unsafe fn enter(&self, gate: &Gate<GateId>) -> Option<SlotSection> {
        // SAFETY: the caller's promise. [CALLER]
        match unsafe { self.enter_quickly(gate) } {
            Quick::Entered(section) => Some(section),
            Quick::Shut => None,
            Quick::Slow => {
                let cell = self.enter_further(|_| gate.id().0);
                Self::look(cell, gate)
            }
        }
    }

    #[inline(always)]
    unsafe fn enter_quickly(&self, gate: &Gate<GateId>) -> Quick<SlotSection> {
        let first = &self.readers.mine().cells[0];
        if own(first) != FREE {
            return Quick::Slow;
        }
        // Release: pairs with the Acquire in `wait`, for the sections that this cell had before.
        first.store(gate.id().0, Ordering::Release);
        self.readers.light();
        match Self::look(first, gate) {
            Some(section) => Quick::Entered(section),
            None => Quick::Shut,
        }
    }

    #[inline(always)]
    unsafe fn leave(&self, _gate: &Gate<GateId>, section: SlotSection) {
        // SAFETY: the cell belongs to this context and is not freed while the section is in it. [INSIDE, CALLER]
        let cell = unsafe { section.0.as_ref() };
        // Release: pairs with the Acquire in `wait`; what was done inside is over.
        cell.store(FREE, Ordering::Release);
    }

    #[inline]
    unsafe fn enter_all(&self) -> SlotSection {
        let cells = self.readers.mine();
        let first = &cells.cells[0];
        let cell = if own(first) == FREE {
            // Release: as in `enter_quickly`.
            first.store(Self::next_all(cells), Ordering::Release);
            self.readers.light();
            first
        } else {
            self.enter_further(Self::next_all)
        };
        SlotSection(NonNull::from(cell))
    }

    #[inline]
    unsafe fn leave_all(&self, section: SlotSection) {
        // SAFETY: as in `leave`. [INSIDE, CALLER]
        let cell = unsafe { section.0.as_ref() };
        // Release: as in `leave`.
        cell.store(FREE, Ordering::Release);
    }

    fn covers(&self, other: &Self) -> bool {
        self.readers.covers(&other.readers)
    }

    fn holds(&self, gate: Option<&Gate<GateId>>) -> bool {
        self.readers
            .visit(Which::Mine, &mut |cells| {
                if cells.hold(gate.map(Gate::id)) {
                    ControlFlow::Break(Stuck::GaveUp)
                } else {
                    ControlFlow::Continue(())
                }
            })
            .is_break()
    }

    unsafe fn wait(
        &self,
        gate: &Gate<GateId>,
        still: &mut dyn FnMut() -> bool,
    ) -> Result<(), Stuck> {
        // Pairs with the readers' `light`, and the fence in `enter_further`; the gate was closed before.
        self.readers.heavy();
        let gate = gate.id().0;
        let found = self.readers.visit(Which::All, &mut |cells| {
            for cell in &cells.cells {
                // Acquire, both: pair with each Release store to a cell, so that what was done inside is over.
                let first = cell.load(Ordering::Acquire);
                let mut now = first;
                // A section on everything that was begun later is another number, and its users see the gate closed.
                while now == gate || (now & ALL != 0 && now == first) {
                    // Acquire: pairs with the Release in `retire`, so that the look at the cell is at what the context left there; it may
                    // have left the section before it ended.
                    if cells.abandoned.load(Ordering::Acquire)
                        && cell.load(Ordering::Acquire) == now
                    {
                        return ControlFlow::Break(Stuck::Leaked);
                    }
                    if !still() {
                        return ControlFlow::Break(Stuck::GaveUp);
                    }
                    now = cell.load(Ordering::Acquire);
                }
            }
            ControlFlow::Continue(())
        });
        match found {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(why) => Err(why),
        }
    }
}
