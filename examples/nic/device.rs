//! A software network card: a few registers, and a cable.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use driver_scope::mmio::Item;
use driver_scope::platform::{Model, Region, Sim};
use driver_scope::{registers, Error, PciDevice, Registers};

/// The longest frame, in bytes.
pub const MTU: usize = 64;

registers! {
    /// The registers of a card.
    pub NicRegs: 0x20 {
        /// How many frames have arrived and are still in the card.
        0x00 => ro RX_FRAMES: u32 where !0 is gone,
        /// The length of the oldest frame in bytes.
        0x04 => ro RX_LENGTH: u32,
        /// The next four bytes of the oldest frame, little-endian. Each read moves on.
        0x08 => rc RX_DATA: u32,
        /// A write of anything drops the oldest frame.
        0x0c => wo RX_DONE: u32,
        /// Takes four bytes of the frame to be sent, little-endian.
        0x10 => wo TX_DATA: u32,
        /// A write of its length in bytes sends the frame.
        0x14 => wo TX_SEND: u32,
    }
}

/// One direction of a cable: the frames that are on their way, or waiting in the card at its end.
type Wire = Arc<Mutex<VecDeque<Vec<u8>>>>;

/// A card.
pub struct Card {
    from: Wire,
    to: Wire,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pulled_out: bool,
    /// How much of the oldest frame has been read.
    read: usize,
    /// What has been written of the next one.
    written: Vec<u8>,
}

impl Card {
    /// Two cards with a cable between them.
    pub fn pair() -> (Arc<Card>, Arc<Card>) {
        let (there, back) = (Wire::default(), Wire::default());
        let card = |from: &Wire, to: &Wire| {
            Arc::new(Card {
                from: Arc::clone(from),
                to: Arc::clone(to),
                state: Mutex::default(),
            })
        };
        (card(&back, &there), card(&there, &back))
    }

    /// The card as a PCI function.
    pub fn pci_device(self: &Arc<Self>) -> Result<PciDevice<Sim>, Error> {
        let region = Region::new(Arc::<Card>::clone(self), NicRegs::SIZE);
        PciDevice::new(0x1234, 0x0e1c).with_bar(0, region)
    }

    /// Pulls the card out: it reads as all ones from now on.
    pub fn pull_out(&self) {
        lock(&self.state).pulled_out = true;
    }
}

impl Model for Card {
    fn read(&self, offset: u64, _width: u8) -> u64 {
        let mut state = lock(&self.state);
        if state.pulled_out {
            return u64::MAX;
        }
        let frames = lock(&self.from);
        let oldest = frames.front().map_or(&[][..], Vec::as_slice);
        if is(RX_FRAMES, offset) {
            frames.len() as u64
        } else if is(RX_LENGTH, offset) {
            oldest.len() as u64
        } else if is(RX_DATA, offset) {
            let mut word = [0; 4];
            for (byte, from) in word.iter_mut().zip(oldest.iter().skip(state.read)) {
                *byte = *from;
            }
            state.read += word.len();
            u32::from_le_bytes(word).into()
        } else {
            0
        }
    }

    fn write(&self, offset: u64, _width: u8, value: u64) {
        let mut state = lock(&self.state);
        if state.pulled_out {
            return;
        }
        // Registers have 32 bits.
        let value = value as u32;
        if is(RX_DONE, offset) {
            state.read = 0;
            lock(&self.from).pop_front();
        } else if is(TX_DATA, offset) {
            state.written.extend(value.to_le_bytes());
        } else if is(TX_SEND, offset) {
            let mut frame = std::mem::take(&mut state.written);
            frame.truncate(value as usize);
            lock(&self.to).push_back(frame);
        }
    }
}

fn is<I: Item>(_register: I, offset: u64) -> bool {
    I::OFFSET as u64 == offset
}

/// Nothing that panics runs under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
