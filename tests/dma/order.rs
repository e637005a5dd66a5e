//! What is written to memory before a doorbell is seen after it; what the device wrote before a status is seen after that.

use std::sync::atomic::{fence, AtomicU32, Ordering};
use std::sync::Arc;
use std::thread;

use driver_scope::platform::{Model, Region};
use driver_scope::{registers, DmaRing};

use super::common::{self, rounds, run, DeviceSide, Metered, TestPlatform};
use super::{device, Entry};
use crate::on_every_platform;

on_every_platform!(
    a_doorbell_comes_after_the_descriptor,
    a_status_comes_before_the_memory,
);

registers! {
    Door: 8 {
        0 => wo BELL: u32,
        4 => ro DONE: u32,
    }
}

/// A device on another thread, that hears of its doorbell by a relaxed load, and tells that it is done by a relaxed store.
#[derive(Default)]
struct Ringing {
    bell: AtomicU32,
    done: AtomicU32,
}

impl Model for Ringing {
    fn read(&self, _offset: u64, _width: u8) -> u64 {
        self.done.load(Ordering::Relaxed).into()
    }
    fn write(&self, _offset: u64, _width: u8, value: u64) {
        self.bell.store(value as u32, Ordering::Relaxed);
    }
}

/// Rings the bell a number of times; `f` is what the device does each time.
fn ring<P: TestPlatform>(
    mut fill: impl for<'drv> FnMut(DmaRing<'drv, Entry, Metered<P>>, u32, bool),
    mut device_does: impl FnMut(&dyn DeviceSide, u64, u32) + Send,
) {
    const ROUNDS: u32 = rounds(1_000, 20);
    run::<P>(|scope| {
        let model = Arc::new(Ringing::default());
        let (device, side) = device(scope.platform());
        let regs = scope.map::<Door>(&Region::new(model.clone(), 8))?;
        let ring = scope.dma_ring::<Entry>(scope.dma(&device, 32)?, 1)?;
        thread::scope(|threads| {
            threads.spawn(|| {
                for round in 1..=ROUNDS {
                    while model.bell.load(Ordering::Relaxed) != round {
                        thread::yield_now();
                    }
                    // Acquire: pairs with the release of the bus.
                    fence(Ordering::Acquire);
                    device_does(&*side, ring.address(), round);
                    // Release: pairs with the acquire of the bus.
                    fence(Ordering::Release);
                    model.done.store(round, Ordering::Relaxed);
                }
            });
            for round in 1..=ROUNDS {
                fill(ring, round, false);
                regs.write(BELL, round);
                while regs.read(DONE) != round {
                    thread::yield_now();
                }
                fill(ring, round, true);
            }
        });
        Ok(())
    });
}

fn a_doorbell_comes_after_the_descriptor<P: TestPlatform>() {
    ring::<P>(
        |ring, round, back| {
            if !back {
                let entry = Entry {
                    address: round.into(),
                    len: !round,
                    owned: true,
                };
                ring.set(0, entry).unwrap();
            }
        },
        |side, address, round| {
            let mut seen = [0; 16];
            assert!(side.read(address, &mut seen));
            assert_eq!(seen[..4], round.to_le_bytes());
            assert_eq!(seen[8..12], (!round).to_le_bytes());
        },
    );
}

fn a_status_comes_before_the_memory<P: TestPlatform>() {
    ring::<P>(
        |ring, round, back| {
            if back {
                let entry = ring.get(0).unwrap();
                assert_eq!((entry.address, entry.len), (round.into(), !round));
            }
        },
        |side, address, round| {
            assert!(side.write(address + 8, &(!round).to_le_bytes()));
            assert!(side.write(address, &round.to_le_bytes()));
        },
    );
}
