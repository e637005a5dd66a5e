//! Memory that devices read and write: both sides see it, nothing outlives it, and it is freed when no device reaches it any more.

use std::sync::Arc;

use common::{DeviceSide, TestPlatform};
use driver_scope::dma::Descriptor;
use driver_scope::platform::Dma;

mod common;

#[path = "dma/end.rs"]
mod end;
#[path = "dma/memory.rs"]
mod memory;
#[path = "dma/order.rs"]
mod order;
#[path = "dma/space.rs"]
mod space;
#[path = "dma/widths.rs"]
mod widths;

/// A descriptor whose words tell on each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// Of a buffer.
    pub address: u64,
    /// Its length.
    pub len: u32,
    /// By the device.
    pub owned: bool,
}

impl Descriptor for Entry {
    type Words = [u32; 4];
    fn to_words(self) -> [u32; 4] {
        [
            self.address as u32,
            (self.address >> 32) as u32,
            self.len,
            u32::from(self.owned) << 31,
        ]
    }
    fn from_words(words: [u32; 4]) -> Self {
        Entry {
            address: u64::from(words[0]) | u64::from(words[1]) << 32,
            len: words[2],
            owned: words[3] >> 31 != 0,
        }
    }
}

/// The same the other way round: its first word passes ownership.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flagged(pub [u16; 3]);

impl Descriptor for Flagged {
    type Words = [u16; 3];
    const OWNER: usize = 0;
    fn to_words(self) -> [u16; 3] {
        self.0
    }
    fn from_words(words: [u16; 3]) -> Self {
        Flagged(words)
    }
}

/// A device, and its own side.
pub fn device<P: TestPlatform>(platform: &P) -> (<P::Dma as Dma>::Device, Arc<dyn DeviceSide>) {
    platform.dma_device()
}
