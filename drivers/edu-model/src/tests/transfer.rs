use std::sync::Mutex;

use super::*;
use crate::{Memory, TransferCounts};

const BUFFER: u64 = 0x40000;
const RUN: u64 = 1;
const TO_MEMORY: u64 = 2;

/// Memory of 16 KiB at 0x10000. Clones are the same.
#[derive(Clone)]
struct Ram(Arc<Mutex<Vec<u8>>>);

impl Ram {
    const START: u64 = 0x1_0000;

    fn part<R>(&self, address: u64, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        let start = usize::try_from(address.checked_sub(Self::START)?).ok()?;
        let mut bytes = self.0.lock().unwrap();
        bytes.get_mut(start..start + len).map(f)
    }
}

impl Memory for Ram {
    fn read(&self, address: u64, to: &mut [u8]) -> bool {
        let len = to.len();
        let done = self.part(address, len, |bytes| to.copy_from_slice(bytes));
        if done.is_none() {
            to.fill(0xff);
        }
        done.is_some()
    }

    fn write(&self, address: u64, from: &[u8]) -> bool {
        let copy = |bytes: &mut [u8]| bytes.copy_from_slice(from);
        self.part(address, from.len(), copy).is_some()
    }
}

fn rig(config: EduConfig) -> (Rig, Ram) {
    let ram = Ram(Arc::new(Mutex::new(vec![0; 0x4000])));
    let mut rig = Rig::with(config);
    rig.model = rig.model.with_memory(ram.clone());
    (rig, ram)
}

impl Rig {
    fn transfer(&self, source: u64, destination: u64, count: u64, command: u64) {
        self.put8(SOURCE, source);
        self.put8(DESTINATION, destination);
        self.put8(COUNT, count);
        self.put8(COMMAND, command);
    }
}

#[test]
fn bytes_go_through_the_buffer_and_back() {
    let (rig, ram) = rig(EduConfig::default());
    let bytes: Vec<u8> = (0..100).collect();
    ram.write(0x1_0003, &bytes);
    rig.transfer(0x1_0003, BUFFER + 7, 100, RUN);
    rig.pass(TRANSFER);
    rig.transfer(BUFFER + 8, 0x1_2000, 98, RUN | TO_MEMORY);
    rig.pass(TRANSFER);
    assert_eq!(rig.get8(COMMAND), TO_MEMORY, "both are done");
    let mut back = [9; 100];
    ram.read(0x1_1fff, &mut back);
    assert_eq!((back[0], back[99]), (0, 0), "and nothing beside them");
    assert_eq!(back[1..99], bytes[1..99]);
    let made = TransferCounts {
        made: 2,
        ..TransferCounts::default()
    };
    assert_eq!(rig.model.transfers(), made);
}

#[test]
fn bytes_are_moved_when_the_transfer_ends() {
    let (rig, ram) = rig(EduConfig::default());
    rig.transfer(0x1_0000, BUFFER, 4, RUN);
    rig.pass(TRANSFER - 1);
    assert_eq!(rig.get8(COMMAND), RUN);
    ram.write(0x1_0000, b"late");
    rig.pass(1);
    assert_eq!(rig.get8(COMMAND), 0);
    rig.transfer(BUFFER, 0x1_0010, 4, RUN | TO_MEMORY);
    rig.pass(TRANSFER - 1);
    let mut seen = [9; 4];
    assert_eq!(rig.get8(COMMAND), RUN | TO_MEMORY);
    ram.read(0x1_0010, &mut seen);
    assert_eq!(seen, [0; 4]);
    rig.pass(1);
    assert_eq!(rig.get8(COMMAND), TO_MEMORY);
    ram.read(0x1_0010, &mut seen);
    assert_eq!(seen, *b"late");
}

#[test]
fn a_transfer_may_fill_the_buffer_and_no_more() {
    let (rig, ram) = rig(EduConfig::default());
    ram.write(0x1_0000, &[5; 4096]);
    rig.transfer(0x1_0000, BUFFER, 4096, RUN);
    rig.pass(TRANSFER);
    assert_eq!(rig.get8(COMMAND), 0);
    assert_eq!(rig.model.transfers().made, 1);
    let wrong = [
        (BUFFER, 4097),
        (BUFFER + 1, 4096),
        (BUFFER - 1, 1),
        (BUFFER + 4097, 0),
        (0, 1),
        (BUFFER, u64::MAX),
        (u64::MAX, 1),
    ];
    for (own, count) in wrong {
        for (source, destination, command) in
            [(0x1_0000, own, RUN), (own, 0x1_0000, RUN | TO_MEMORY)]
        {
            ram.write(0x1_0000, &[6; 4096]);
            rig.transfer(source, destination, count, command | 4);
            rig.pass(TRANSFER);
            assert_eq!(rig.get8(COMMAND) & RUN, 0, "it ends all the same");
            assert_eq!(rig.get(INTERRUPT_STATUS), 0x100);
            rig.put(ACKNOWLEDGE, 0x100);
        }
    }
    let counts = rig.model.transfers();
    assert_eq!((counts.made, counts.out_of_range), (1, 14));
    rig.transfer(BUFFER, 0x1_1000, 4096, RUN | TO_MEMORY);
    rig.pass(TRANSFER);
    assert_eq!(rig.model.transfers().made, 2);
    let mut seen = vec![0; 4096];
    ram.read(0x1_1000, &mut seen);
    assert_eq!(seen, [5; 4096], "none of them changed the buffer");
}

#[test]
fn only_28_bits_of_an_address_count() {
    let (rig, ram) = rig(EduConfig::default());
    ram.write(0x1_0000, b"here");
    rig.transfer(0xf000_0001_0000 | 1 << 28, BUFFER, 4, RUN);
    rig.pass(TRANSFER);
    rig.transfer(BUFFER, 1 << 63 | 0x1_0020, 4, RUN | TO_MEMORY);
    rig.pass(TRANSFER);
    let counts = rig.model.transfers();
    assert_eq!((counts.made, counts.clamped), (2, 2));
    let mut seen = [0; 4];
    ram.read(0x1_0020, &mut seen);
    assert_eq!(seen, *b"here");
}

#[test]
fn the_mask_is_configured() {
    let (rig, _) = rig(EduConfig {
        dma_mask: u64::MAX,
        ..EduConfig::default()
    });
    rig.transfer(1 << 32 | 0x1_0000, BUFFER, 4, RUN);
    rig.pass(TRANSFER);
    let counts = rig.model.transfers();
    assert_eq!((counts.refused, counts.clamped), (1, 0));
}

#[test]
fn memory_that_is_not_there_is_refused() {
    let (rig, ram) = rig(EduConfig::default());
    rig.transfer(0x1_3ffd, BUFFER, 4, RUN);
    rig.pass(TRANSFER);
    assert_eq!(rig.model.transfers().refused, 1);
    rig.transfer(BUFFER, 0x1_3ffd, 4, RUN | TO_MEMORY);
    rig.pass(TRANSFER);
    assert_eq!(rig.model.transfers().refused, 2);
    rig.transfer(BUFFER, 0x1_0000, 4, RUN | TO_MEMORY);
    rig.pass(TRANSFER);
    assert_eq!(rig.model.transfers().made, 1);
    let mut seen = [0; 4];
    ram.read(0x1_0000, &mut seen);
    assert_eq!(seen, [0xff; 4], "what a read was answered with");
}

#[test]
fn without_memory_nothing_is_moved_and_nothing_counted() {
    let rig = Rig::new();
    rig.transfer(0, BUFFER, 4, RUN);
    rig.pass(TRANSFER);
    assert_eq!(rig.get8(COMMAND), 0);
    assert_eq!(rig.model.transfers(), TransferCounts::default());
}

#[test]
fn a_removed_device_moves_nothing() {
    let (rig, ram) = rig(EduConfig::default());
    rig.transfer(BUFFER, 0x1_0000, 4, RUN | TO_MEMORY);
    ram.write(0x1_0000, &[7; 4]);
    rig.model.unplug();
    rig.pass(TRANSFER);
    assert!(!rig.model.is_plugged());
    let mut seen = [0; 4];
    ram.read(0x1_0000, &mut seen);
    assert_eq!(seen, [7; 4]);
}
