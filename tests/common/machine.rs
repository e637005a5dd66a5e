//! Memory of a machine without an IOMMU: a device reaches all of it, or nothing. Freed memory is poisoned, and never used again.

use std::alloc::Layout;
use std::cell::RefCell;
use std::ptr::NonNull;
use std::sync::atomic::{fence, AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use driver_scope::platform::{Barriers, Dma, DmaBlock};
use driver_scope::{Error, Word};

use super::{DeviceSide, Log};

/// The memory. Clones are the same.
#[derive(Clone)]
pub struct Machine(Arc<Memory>);

struct Memory {
    cells: Box<[AtomicU64]>,
    state: Mutex<State>,
    /// Whether blocks are told to be where no device has addresses.
    lies: AtomicBool,
    /// What was asked of it.
    log: Log,
}

#[derive(Default)]
struct State {
    /// How much has been given out, in bytes.
    used: usize,
    /// What has been given back: where, and how many bytes.
    freed: Vec<(usize, usize)>,
}

thread_local! {
    /// What the CPU does to memory on this thread, if it is to be noted.
    static NOTED: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// What `f` does to memory on this thread: `read 4` for four bytes, `write barrier`.
pub fn noted(f: impl FnOnce()) -> Vec<String> {
    NOTED.set(Some(Vec::new()));
    f();
    NOTED.take().unwrap_or_default()
}

fn note(what: impl FnOnce() -> String) {
    NOTED.with_borrow_mut(|noted| {
        if let Some(noted) = noted {
            noted.push(what());
        }
    });
}

/// What freed memory is filled with.
const POISON: u64 = 0xdddd_dddd_dddd_dddd;

/// Where the memory begins for devices.
const BASE: u64 = 0x10_0000;

const SIZE: usize = 0x10_0000;

impl Machine {
    /// With 1 MiB.
    pub fn new() -> Self {
        Machine(Arc::new(Memory {
            cells: (0..SIZE / 8).map(|_| AtomicU64::new(0)).collect(),
            state: Mutex::default(),
            lies: AtomicBool::new(false),
            log: Log::default(),
        }))
    }

    /// A device of this machine, that is not let on the bus.
    pub fn device(&self) -> BusDevice {
        BusDevice(Arc::new(Bus {
            machine: self.clone(),
            claimed: AtomicBool::new(false),
            master: Mutex::new(false),
        }))
    }

    /// Has blocks be where no device has addresses, from now on.
    pub fn lie(&self) {
        self.0.lies.store(true, Ordering::Relaxed);
    }

    /// What was asked of it.
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// Checks that nobody has written what was given back, and that all was.
    #[track_caller]
    pub fn assert_poisoned(&self) {
        let state = self.0.state.lock().unwrap();
        let freed: usize = state.freed.iter().map(|&(_, size)| size).sum();
        assert_eq!(freed, state.used, "memory was not given back");
        for &(start, size) in &state.freed {
            for cell in &self.0.cells[start / 8..(start + size) / 8] {
                assert_eq!(cell.load(Ordering::Relaxed), POISON, "freed, then written");
            }
        }
    }
}

/// A device on the bus. Clones are the same.
#[derive(Clone)]
pub struct BusDevice(Arc<Bus>);

struct Bus {
    machine: Machine,
    claimed: AtomicBool,
    /// The bus master bit; the lock is held throughout a transfer.
    master: Mutex<bool>,
}

impl BusDevice {
    /// Calls `f` for each byte that the device transfers; false if it is not let.
    fn transfer(
        &self,
        address: u64,
        len: usize,
        mut f: impl FnMut(&AtomicU64, usize, usize),
    ) -> bool {
        let master = self.0.master.lock().unwrap();
        if !*master {
            return false;
        }
        for number in 0..len {
            let at = (address - BASE) as usize + number;
            f(&self.0.machine.0.cells[at / 8], at % 8, number);
        }
        true
    }
}

impl DeviceSide for BusDevice {
    fn read(&self, address: u64, to: &mut [u8]) -> bool {
        self.transfer(address, to.len(), |cell, within, number| {
            to[number] = cell.load(Ordering::Acquire).to_le_bytes()[within];
        })
    }

    fn write(&self, address: u64, from: &[u8]) -> bool {
        self.transfer(address, from.len(), |cell, within, number| {
            change(cell, Ordering::Release, |bytes| {
                bytes[within] = from[number];
            });
        })
    }
}

fn change(cell: &AtomicU64, order: Ordering, change: impl Fn(&mut [u8; 8])) {
    let _ = cell.fetch_update(order, Ordering::Relaxed, |word| {
        let mut bytes = word.to_le_bytes();
        change(&mut bytes);
        Some(u64::from_le_bytes(bytes))
    });
}

/// A claimed device.
pub struct BusClaim(BusDevice);

impl Drop for BusClaim {
    fn drop(&mut self) {
        assert!(
            !*self.0 .0.master.lock().unwrap(),
            "given back while it is let on the bus"
        );
        self.0 .0.machine.0.log.add("drop");
        self.0 .0.claimed.store(false, Ordering::Release);
    }
}

/// The cell that an address is in, and where in it.
fn cell_of(at: NonNull<u8>) -> (NonNull<AtomicU64>, usize) {
    let within = at.addr().get() % 8;
    // SAFETY: blocks begin at multiples of a cell.
    (unsafe { at.sub(within) }.cast(), within)
}

// SAFETY: the promises, by their numbers. 1: what is given out is not again, and not written before; the memory is kept by the claim. 2: all accesses are of whole cells. 3:
// the bus master bit. 4: `claimed`.
unsafe impl Dma for Machine {
    type Device = BusDevice;
    type Claim = BusClaim;
    type Barriers = Machine;

    fn claim(&self, device: &BusDevice, address_bits: u32) -> Result<BusClaim, Error> {
        if (BASE + SIZE as u64 - 1)
            .checked_shr(address_bits)
            .unwrap_or(0)
            != 0
        {
            return Err(Error::DmaMask(address_bits));
        }
        // Acquire: pairs with the Release in the last claim's drop.
        if device.0.claimed.swap(true, Ordering::Acquire) {
            return Err(Error::DmaInUse);
        }
        self.0.log.add(format!("claim for {address_bits} bits"));
        *device.0.master.lock().unwrap() = true;
        Ok(BusClaim(device.clone()))
    }

    fn allocate(&self, claim: &BusClaim, layout: Layout) -> Result<DmaBlock, Error> {
        let memory = &*claim.0 .0.machine.0;
        let mut state = memory.state.lock().unwrap();
        if layout.size() > SIZE {
            return Err(Error::NoMemory);
        }
        // Nothing of a block is in a cell of another.
        let size = layout.size().next_multiple_of(8);
        let start = state.used.next_multiple_of(layout.align());
        let skipped = start - state.used;
        if start + size > SIZE || layout.size() == 0 {
            return Err(Error::NoMemory);
        }
        memory.log.add("allocate");
        for cell in &memory.cells[state.used / 8..start / 8] {
            cell.store(POISON, Ordering::Relaxed);
        }
        let used = state.used;
        state.freed.push((used, skipped));
        state.used = start + size;
        let mut device = BASE + start as u64;
        if memory.lies.load(Ordering::Relaxed) {
            device |= 1 << 40;
        }
        let cpu = NonNull::from(&memory.cells[..]).cast::<u8>();
        Ok(DmaBlock {
            // SAFETY: inside the memory.
            cpu: unsafe { cpu.add(start) },
            device,
        })
    }

    unsafe fn free(&self, claim: &BusClaim, block: DmaBlock, layout: Layout) {
        let memory = &*claim.0 .0.machine.0;
        memory.log.add("free");
        let start = block.cpu.addr().get() - memory.cells.as_ptr().addr();
        let size = layout.size().next_multiple_of(8);
        for cell in &memory.cells[start / 8..(start + size) / 8] {
            cell.store(POISON, Ordering::Relaxed);
        }
        memory.state.lock().unwrap().freed.push((start, size));
    }

    fn quiet(&self, claim: &BusClaim) {
        self.0.log.add("quiet");
        *claim.0 .0.master.lock().unwrap() = false;
    }

    unsafe fn read<T: Word>(at: NonNull<u8>) -> T {
        note(|| format!("read {}", size_of::<T>()));
        let (cell, within) = cell_of(at);
        // SAFETY: inside a block, so in the memory.
        let word = unsafe { cell.as_ref() }.load(Ordering::Relaxed);
        T::truncate(word >> (8 * within))
    }

    unsafe fn write<T: Word>(at: NonNull<u8>, value: T) {
        note(|| format!("write {}", size_of::<T>()));
        let (cell, within) = cell_of(at);
        let value = value.to_u64().to_le_bytes();
        // SAFETY: as in `read`.
        change(unsafe { cell.as_ref() }, Ordering::Relaxed, |bytes| {
            let width = size_of::<T>();
            bytes[within..within + width].copy_from_slice(&value[..width]);
        });
    }
}

// SAFETY: the devices are threads, which see memory by atomic accesses.
unsafe impl Barriers for Machine {
    fn write_barrier() {
        note(|| "write barrier".to_owned());
        // Release: pairs with the Acquire of a device's loads.
        fence(Ordering::Release);
    }

    fn read_barrier() {
        note(|| "read barrier".to_owned());
        // Acquire: pairs with the Release of a device's stores.
        fence(Ordering::Acquire);
    }
}
