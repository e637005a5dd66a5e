//! A device that is a run of bytes, and remembers how they were accessed.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use driver_scope::platform::{Model, Region};

/// One access, as the device saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A read of so many bytes, at this place.
    Read(usize, usize),
    /// A write of so many bytes, at this place.
    Write(usize, usize),
}

/// The device.
pub struct Bytes(Mutex<State>);

struct State {
    bytes: Vec<u8>,
    accesses: Vec<Access>,
}

/// A device of these bytes, and its region.
pub fn device(bytes: impl Into<Vec<u8>>) -> (Arc<Bytes>, Region) {
    let bytes = bytes.into();
    let size = bytes.len();
    let device = Arc::new(Bytes(Mutex::new(State {
        bytes,
        accesses: Vec::new(),
    })));
    (Arc::clone(&device), Region::new(device, size))
}

impl Bytes {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it holds.
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// Changes what it holds, by itself.
    pub fn set(&self, at: usize, bytes: &[u8]) {
        self.lock().bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// How it was accessed since the last call.
    pub fn accesses(&self) -> Vec<Access> {
        mem::take(&mut self.lock().accesses)
    }
}

impl Model for Bytes {
    fn read(&self, offset: u64, width: u8) -> u64 {
        let (at, width) = (offset as usize, usize::from(width));
        assert_eq!(at % width, 0, "a misaligned read reached the device");
        let mut state = self.lock();
        state.accesses.push(Access::Read(at, width));
        let mut word = [0; 8];
        word[..width].copy_from_slice(&state.bytes[at..at + width]);
        u64::from_le_bytes(word)
    }

    fn write(&self, offset: u64, width: u8, value: u64) {
        let (at, width) = (offset as usize, usize::from(width));
        assert_eq!(at % width, 0, "a misaligned write reached the device");
        let mut state = self.lock();
        state.accesses.push(Access::Write(at, width));
        state.bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
    }
}
