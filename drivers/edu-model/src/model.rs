//! The model as others see it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::EduConfig;
use crate::counts::{AccessCounts, TransferCounts};
use crate::memory::Memory;
use crate::registers::BAR_SIZE;
use crate::state::State;

/// A software model of QEMU's `edu` device; see the [crate documentation](crate) for what it does.
///
/// It may be shared between threads. Each call is atomic, and sees the device as it is at the time
/// the clock gave when the call began, or later if another call has already seen it later.
pub struct EduModel {
    clock: Box<dyn Fn() -> u64 + Send + Sync>,
    state: Mutex<State>,
    /// Locked after the state.
    wire: Mutex<Option<Arc<dyn Wire>>>,
}

/// Where the model's interrupts go.
pub(crate) trait Wire: Send + Sync {
    /// What they are now. Called with the model's lock, so in the order of the changes; it must not call the model.
    fn set(&self, level: bool, messages: u64);

    /// The device may change by itself at another time than before: see [`EduModel::due`]. Called without the lock.
    fn look(&self, model: &EduModel);
}

impl EduModel {
    /// Size of BAR 0 in bytes: 1 MiB (QEMU docs/specs/edu).
    pub const BAR_SIZE: u64 = BAR_SIZE;
    /// PCI vendor id (QEMU docs/specs/edu).
    pub const VENDOR_ID: u16 = 0x1234;
    /// PCI device id (QEMU docs/specs/edu).
    pub const DEVICE_ID: u16 = 0x11e8;

    /// A device fresh from power-on: plugged in, idle, its writable registers zero.
    ///
    /// `clock` returns the present time in nanoseconds. It has to be monotonic and cheap, and may be
    /// virtual. It is called once by each call of the model, never with the model's lock held.
    pub fn new(clock: impl Fn() -> u64 + Send + Sync + 'static, config: EduConfig) -> Self {
        Self {
            clock: Box::new(clock),
            state: Mutex::new(State::new(&config)),
            wire: Mutex::new(None),
        }
    }

    /// The same device with memory that its transfers are from and to. Without, they move nothing.
    #[must_use]
    pub fn with_memory(self, memory: impl Memory) -> Self {
        self.with(|state| state.set_memory(Box::new(memory)));
        self
    }

    /// What the device answers to a CPU read of `width` bytes (1, 2, 4 or 8) at `offset` bytes into
    /// BAR 0.
    ///
    /// - A register of that width: its value (QEMU docs/specs/edu).
    /// - 4 or 8 bytes, aligned, where no register answers: all ones.
    /// - 8 bytes at an odd multiple of 4: two 4-byte reads, the one at `offset` in the low half.
    /// - 1 or 2 bytes, or any less aligned access: zero, since it does not get to the device.
    /// - Another width, or not wholly in the BAR, which no CPU access to the device is: zero.
    /// - A removed device, whatever is asked of it: all ones of the width.
    ///
    /// The second, third and fourth are as observed on QEMU 10.0.2. Bits above `width` bytes are
    /// zero. A read changes nothing but the counts.
    pub fn read(&self, offset: u64, width: u8) -> u64 {
        self.with(|state| state.read(offset, width))
    }

    /// A CPU write of the low `width` bytes (1, 2, 4 or 8) of `value` at `offset` bytes into BAR 0.
    ///
    /// Ignored where [`read`](Self::read) would meet no register, on a read-only register, on a unit
    /// that is busy (QEMU docs/specs/edu; observed for the DMA unit), and on a removed device.
    pub fn write(&self, offset: u64, width: u8, value: u64) {
        self.with(|state| state.write(offset, width, value));
    }

    /// Surprise removal, for good: from now on reads give all ones of their width, writes are
    /// ignored, the interrupt line is low, and what the device was doing never ends.
    pub fn unplug(&self) {
        self.with(State::unplug);
    }

    /// Whether the device has not been removed.
    pub fn is_plugged(&self) -> bool {
        self.with(|state| state.is_plugged())
    }

    /// Whether a factorial is being computed.
    pub fn is_computing(&self) -> bool {
        self.with(|state| state.is_computing())
    }

    /// The level of the device's INTx line: high while its interrupt status is not zero (QEMU
    /// docs/specs/edu: "IRQ controller").
    pub fn interrupt_level(&self) -> bool {
        self.with(|state| state.interrupt_level())
    }

    /// How many MSI messages the device has sent so far, were MSI enabled: one whenever a factorial
    /// or a transfer ends that was to raise an interrupt, and one for each write of the interrupt
    /// raise register, in all cases only if the interrupt status is then not zero.
    ///
    /// So a message may come though the same bit is already set, and a write of zero repeats one
    /// (observed on QEMU 10.0.2). An acknowledge sends none.
    pub fn messages(&self) -> u64 {
        self.with(|state| state.messages())
    }

    /// When the device will next change by itself, in clock nanoseconds: the end of a computation or
    /// of a transfer. `None` if it is idle or removed.
    ///
    /// Who delivers the interrupts of a model waits until then, and looks again after each write.
    pub fn next_event(&self) -> Option<u64> {
        self.with(|state| state.next_event())
    }

    /// How often the device was accessed so far.
    pub fn accesses(&self) -> AccessCounts {
        self.with(|state| state.counts())
    }

    /// What became of its transfers so far, if it has memory.
    pub fn transfers(&self) -> TransferCounts {
        self.with(|state| state.transfers())
    }

    /// Runs `look` on the device as it is now.
    fn with<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        // Before the lock: the clock may be slow, take locks of its own, or use this model.
        let now = (self.clock)();
        let mut state = lock(&self.state);
        state.settle(now);
        let result = look(&mut state);
        let wire = lock(&self.wire).clone();
        if let Some(wire) = wire {
            wire.set(state.interrupt_level(), state.messages());
            drop(state);
            wire.look(self);
        }
        result
    }

    /// [`next_event`](Self::next_event), as the model was last seen.
    pub(crate) fn due(&self) -> Option<u64> {
        lock(&self.state).next_event()
    }

    /// Has the interrupts go there from now on; `None`: nowhere.
    pub(crate) fn connect(&self, wire: Option<Arc<dyn Wire>>) {
        let before = std::mem::replace(&mut *lock(&self.wire), wire);
        drop(before);
        // What they are.
        self.with(|_| ());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for EduModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EduModel")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
