//! Memory that models of devices reach, for the hosted platforms.

use std::alloc;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use core::alloc::Layout;
use core::fmt;
use core::mem;
use core::ptr::NonNull;
use core::sync::atomic::{fence, AtomicUsize, Ordering};

use crate::error::Error;
use crate::mmio::Word;
use crate::platform::monitor::lock;
use crate::platform::{Barriers, Dma, DmaBlock};

/// The memory that one modelled device reaches, by addresses of its own: what an IOMMU would make of it. Clones are the same.
///
/// One goes into the [`PciDevice`](crate::PciDevice::with_dma), another to the model, which [reads](DmaSpace::read) and [writes](DmaSpace::write) by it: at any time, on any
/// thread, whatever the driver does. What the driver has not allocated, or has no more, is a fault; and so is everything while no driver has the device.
///
/// Addresses are those of whole pages of 4096 bytes, with one between each two blocks that is never there. They go up; the same one is not given out again until the end of the range
/// has been reached.
///
/// ```
/// use driver_scope::platform::{DmaSpace, Sim};
/// use driver_scope::*;
///
/// let space = DmaSpace::new();
/// let sim = Sim::new();
/// sim.may_sleep(|cx| {
///     enter(sim.clone(), cx, &space, |space, scope| {
///         let dma = scope.dma(space, 32)?;
///         let buffer = scope.dma_bytes(dma, 100)?;
///         buffer.copy_in(40, b"from the driver")?;
///
///         // ---- the device
///         let mut seen = [0; 15];
///         space.read(buffer.address() + 40, &mut seen).unwrap();
///         assert_eq!(&seen, b"from the driver");
///         space.write(buffer.address(), &[7; 4]).unwrap();
///
///         assert_eq!(buffer.try_read::<u32>(0)?, 0x0707_0707);
///         Ok::<(), Error>(())
///     })
/// })?;
/// assert_eq!(space.faults(), 0);
/// assert!(space.write(0x1000, &[1]).is_err()); // the driver is gone
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct DmaSpace(Arc<Mutex<State>>);

struct State {
    /// A driver has the device.
    claimed: bool,
    /// The device reaches the blocks.
    open: bool,
    /// By the device's address.
    blocks: BTreeMap<u64, Block>,
    /// Where the next block goes, if there is room.
    next: u64,
    faults: u64,
}

/// A block: cells that are each accessed as a whole, so that accesses of all widths are of the same.
struct Block {
    cells: NonNull<AtomicUsize>,
    /// In bytes.
    size: u64,
}

// SAFETY: the cells are atomics, and freed under the lock of the state, by which the map is reached. [SHARED, LOCKED]
unsafe impl Send for Block {}

/// How many bytes a cell has.
const CELL: usize = mem::size_of::<AtomicUsize>();

/// What addresses are given out by.
const PAGE: u64 = 4096;

/// The first address that is given out: what a driver forgot to fill in meets nothing.
const FIRST: u64 = 16 * PAGE;

impl DmaSpace {
    /// A space with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        DmaSpace(Arc::new(Mutex::new(State {
            claimed: false,
            open: false,
            blocks: BTreeMap::new(),
            next: FIRST,
            faults: 0,
        })))
    }

    /// The device reads memory, in rising order.
    ///
    /// Each aligned machine word is read at once. What a driver wrote before the last write that this has seen is seen as well, if the driver had a
    /// [barrier](crate::DmaDevice::write_barrier) between.
    ///
    /// # Errors
    /// [`DmaFault`] if it is not wholly inside of one block, or the device is kept from memory. What was to be read is then all ones.
    pub fn read(&self, address: u64, to: &mut [u8]) -> Result<(), DmaFault> {
        let mut state = lock(&self.0);
        let Some((block, offset)) = state.find(address, to.len()) else {
            to.fill(0xff);
            return Err(state.fault(address, to.len()));
        };
        let (mut at, mut rest) = (offset, to);
        while !rest.is_empty() {
            let within = at % CELL;
            let (now, later) = rest.split_at_mut(rest.len().min(CELL - within));
            // Acquire: pairs with the release fence of the driver's `write_barrier` and of `Bus::write`.
            let bytes = block.cell(at).load(Ordering::Acquire).to_ne_bytes();
            now.copy_from_slice(&bytes[within..within + now.len()]);
            at += now.len();
            rest = later;
        }
        Ok(())
    }

    /// The device writes memory, in rising order.
    ///
    /// Each aligned machine word, or the part of one, is written at once. Who sees one of them and then has a [barrier](crate::DmaDevice::read_barrier) sees those before.
    ///
    /// # Errors
    /// [`DmaFault`] if it is not wholly inside of one block, or the device is kept from memory. Nothing is then written.
    pub fn write(&self, address: u64, from: &[u8]) -> Result<(), DmaFault> {
        let mut state = lock(&self.0);
        let Some((block, offset)) = state.find(address, from.len()) else {
            return Err(state.fault(address, from.len()));
        };
        let (mut at, mut rest) = (offset, from);
        while !rest.is_empty() {
            let within = at % CELL;
            let (now, later) = rest.split_at(rest.len().min(CELL - within));
            // Release: pairs with the acquire fence of the driver's `read_barrier` and of `Bus::read`.
            block.change(at, Ordering::Release, |bytes| {
                bytes[within..within + now.len()].copy_from_slice(now);
            });
            at += now.len();
            rest = later;
        }
        Ok(())
    }

    /// How many accesses of the device were refused so far.
    #[must_use]
    pub fn faults(&self) -> u64 {
        lock(&self.0).faults
    }

    /// How many blocks there are.
    #[must_use]
    pub fn blocks(&self) -> usize {
        lock(&self.0).blocks.len()
    }
}

impl Default for DmaSpace {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for DmaSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DmaSpace")
    }
}

/// An access of a device that was refused: see [`DmaSpace`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DmaFault {
    /// Where it began, by the device's addresses.
    pub address: u64,
    /// How many bytes it was of.
    pub len: usize,
}

impl fmt::Display for DmaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DmaFault { address, len } = self;
        write!(
            f,
            "the device has no memory of {len:#x} bytes at {address:#x}"
        )
    }
}

impl core::error::Error for DmaFault {}

impl State {
    /// The block that `len` bytes at an address of the device lie in, and where.
    fn find(&self, address: u64, len: usize) -> Option<(&Block, usize)> {
        if !self.open {
            return None;
        }
        let (start, block) = self.blocks.range(..=address).next_back()?;
        let offset = address - start;
        // (Both fit: a block has no more bytes than an `isize` can tell.)
        let fits = offset <= block.size && len as u64 <= block.size - offset;
        fits.then_some((block, offset as usize))
    }

    fn fault(&mut self, address: u64, len: usize) -> DmaFault {
        self.faults += 1;
        DmaFault { address, len }
    }

    /// Where there is room for so many bytes, up to `last`.
    fn room(&self, size: u64, align: u64, last: u64) -> Option<u64> {
        // From where the last one was put, then from the begin.
        [self.next, FIRST].into_iter().find_map(|from| {
            let mut start = from.checked_next_multiple_of(align)?;
            loop {
                let end = start.checked_add(size - 1).filter(|&end| end <= last)?;
                // The last one that begins before this would end, with the page after it.
                let in_the_way = self.blocks.range(..=end.saturating_add(PAGE)).next_back();
                match in_the_way {
                    Some((other, block)) if block.beyond(*other) > start => {
                        start = block.beyond(*other).checked_next_multiple_of(align)?;
                    }
                    _ => return Some(start),
                }
            }
        })
    }
}

impl Block {
    /// Where the next one may begin.
    fn beyond(&self, start: u64) -> u64 {
        start.saturating_add(self.size).saturating_add(PAGE)
    }

    /// The cell that a byte is in, which is inside.
    fn cell(&self, offset: usize) -> &AtomicUsize {
        assert!((offset as u64) < self.size);
        // SAFETY: inside, as checked. The block is in the map, so it is not freed, and is not while the map is borrowed. [LOCKED]
        unsafe { self.cells.add(offset / CELL).as_ref() }
    }

    /// Changes the cell that a byte is in.
    fn change(&self, offset: usize, order: Ordering, change: impl Fn(&mut [u8; CELL])) {
        let _ = self
            .cell(offset)
            .fetch_update(order, Ordering::Relaxed, |cell| {
                Some(changed(cell, &change))
            });
    }
}

fn changed(cell: usize, change: impl Fn(&mut [u8; CELL])) -> usize {
    let mut bytes = cell.to_ne_bytes();
    change(&mut bytes);
    usize::from_ne_bytes(bytes)
}

/// What is really allocated for a block: whole cells.
fn in_cells(layout: Layout) -> Option<Layout> {
    let layout = layout.align_to(CELL).ok()?.pad_to_align();
    (layout.size() > 0).then_some(layout)
}

/// The [`Dma`] of [`Host`](crate::platform::Host) and [`Sim`](crate::platform::Sim): each device has a [`DmaSpace`], which its model reads and writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmulatedDma;

/// A claimed [`DmaSpace`].
pub struct DmaClaim {
    space: DmaSpace,
    address_bits: u32,
}

impl DmaClaim {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.space.0)
    }
}

impl fmt::Debug for DmaClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DmaClaim")
    }
}

impl Drop for DmaClaim {
    fn drop(&mut self) {
        let mut state = self.lock();
        state.open = false;
        state.claimed = false;
    }
}

// SAFETY: the promises, by their numbers. 1: a block is the global allocator's, zeroed, and freed by `free` only; both its addresses are multiples of its alignment, the
// device's by `room`. 2: both sides access whole cells, atomically. 3: a device has no other way to memory than its space, which looks under its lock whether it
// is open and what is in it. 4: `claimed` is changed under the lock. [PROMISE]
unsafe impl Dma for EmulatedDma {
    type Device = DmaSpace;
    type Claim = DmaClaim;
    type Barriers = EmulatedDma;

    fn claim(&self, device: &DmaSpace, address_bits: u32) -> Result<DmaClaim, Error> {
        let mut state = lock(&device.0);
        if state.claimed {
            return Err(Error::DmaInUse);
        }
        state.claimed = true;
        state.open = true;
        Ok(DmaClaim {
            space: device.clone(),
            address_bits,
        })
    }

    fn allocate(&self, claim: &DmaClaim, layout: Layout) -> Result<DmaBlock, Error> {
        let cells = in_cells(layout).ok_or(Error::ZeroSize)?;
        let last = match claim.address_bits {
            64.. => u64::MAX,
            bits => (1 << bits) - 1,
        };
        let size = layout.size() as u64;
        let mut state = claim.lock();
        let device = state
            .room(size, PAGE.max(layout.align() as u64), last)
            .ok_or(Error::DmaMask(claim.address_bits))?;
        // SAFETY: not of size zero. [LOCAL]
        let cpu = NonNull::new(unsafe { alloc::alloc_zeroed(cells) }).ok_or(Error::NoMemory)?;
        state.next = device.saturating_add(size).saturating_add(PAGE);
        let cells = cpu.cast();
        state.blocks.insert(device, Block { cells, size });
        Ok(DmaBlock { cpu, device })
    }

    unsafe fn free(&self, claim: &DmaClaim, block: DmaBlock, layout: Layout) {
        // Under the lock, so no access of the device is under way, and from here on none finds it.
        claim.lock().blocks.remove(&block.device);
        if let Some(layout) = in_cells(layout) {
            // SAFETY: allocated with this layout, and not used again, says the caller. [CALLER]
            unsafe { alloc::dealloc(block.cpu.as_ptr(), layout) };
        }
    }

    fn quiet(&self, claim: &DmaClaim) {
        // Under the lock: what was under way is over.
        claim.lock().open = false;
    }

    unsafe fn read<T: Word>(at: NonNull<u8>) -> T {
        let (cell, within) = cell_of(at);
        // SAFETY: `at` is inside a block, which consists of cells, is not freed, and is accessed by nothing but cells, atomically. Relaxed: a read promises no order. [WORDS, CALLER]
        let cell = unsafe { cell.as_ref() }.load(Ordering::Relaxed);
        let mut bytes = [0; 8];
        let width = mem::size_of::<T>();
        bytes[..width].copy_from_slice(&cell.to_ne_bytes()[within..within + width]);
        T::truncate(u64::from_le_bytes(bytes))
    }

    unsafe fn write<T: Word>(at: NonNull<u8>, value: T) {
        let (cell, within) = cell_of(at);
        // SAFETY: as in `read`. [WORDS, CALLER]
        let cell = unsafe { cell.as_ref() };
        let width = mem::size_of::<T>();
        let value = value.to_u64().to_le_bytes();
        let change = |bytes: &mut [u8; CELL]| {
            bytes[within..within + width].copy_from_slice(&value[..width]);
        };
        // Relaxed, here and below: a write promises no order.
        if width == CELL {
            cell.store(changed(0, change), Ordering::Relaxed);
        } else {
            let changed = |cell| Some(changed(cell, change));
            let _ = cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed);
        }
    }
}

// SAFETY: the devices are models, which see memory by the atomic accesses of `DmaSpace` and of the bus. [PROMISE]
unsafe impl Barriers for EmulatedDma {
    fn write_barrier() {
        // Release: pairs with the Acquire of the loads in `DmaSpace::read`.
        fence(Ordering::Release);
    }

    fn read_barrier() {
        // Acquire: pairs with the Release of the stores in `DmaSpace::write`.
        fence(Ordering::Acquire);
    }
}

/// The cell that an address lies in, and where in it. (An aligned access of a `Word` ends in the same, being no wider.)
fn cell_of(at: NonNull<u8>) -> (NonNull<AtomicUsize>, usize) {
    let within = at.addr().get() % CELL;
    // SAFETY: a block begins at a multiple of `CELL`, so this does not leave it. [CALLER]
    (unsafe { at.sub(within) }.cast(), within)
}
