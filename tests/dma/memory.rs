//! Each access is where it should be; what cannot be had is refused.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use driver_scope::event::Kind;
use driver_scope::inspect::Details;
use driver_scope::platform::{Emulated, Host, NoDma};
use driver_scope::{enter, registers, DmaRing, Error, PciDevice, Restart, Units};

use super::common::{self, rounds, run, run_on, Foreign, Metered, TestPlatform};
use super::{device, Entry, Flagged};
use crate::on_every_platform;

on_every_platform!(
    both_sides_see_the_same,
    fields_are_where_they_are_declared,
    a_ring_passes_descriptors,
    accesses_are_checked,
    what_cannot_be_had_is_refused_and_nothing_is_lost,
    without_memory_for_the_scope_nothing_is_kept,
    copies_are_those_of_a_vec,
    all_widths_at_the_same_time,
    memory_is_inspected,
);

fn both_sides_see_the_same<P: TestPlatform>() {
    run::<P>(|scope| {
        let (device, side) = device(scope.platform());
        let dma = scope.dma(&device, 32)?;
        let bytes = scope.dma_bytes(dma, 100)?;
        assert_eq!(bytes.len(), 100);
        assert_eq!(bytes.address() % 128, 0);

        let mut seen = [1; 100];
        bytes.copy_out(0, &mut seen)?;
        assert_eq!(seen, [0; 100], "it begins as zeros");
        seen = [1; 100];
        assert!(side.read(bytes.address(), &mut seen));
        assert_eq!(seen, [0; 100], "for the device as well");

        bytes.try_write(4, 0x1234_5678_u32)?;
        bytes.try_write(9, 0xab_u8)?;
        assert!(side.read(bytes.address(), &mut seen));
        assert_eq!(
            seen[..12],
            [0, 0, 0, 0, 0x78, 0x56, 0x34, 0x12, 0, 0xab, 0, 0]
        );

        assert!(side.write(bytes.address() + 13, &[1, 2, 3]));
        assert_eq!(bytes.try_read::<u8>(13), Ok(1));
        assert_eq!(bytes.try_read::<u16>(14), Ok(0x0302));
        assert_eq!(bytes.try_read::<u32>(12), Ok(0x0302_0100));
        assert_eq!(bytes.try_read::<u64>(8), Ok(0x0302_0100_0000_ab00));

        let part = bytes.part(8, 8)?;
        assert_eq!(part.address(), bytes.address() + 8);
        assert_eq!(part.try_read::<u16>(6), Ok(0x0302));
        Ok(())
    });
}

registers! {
    Shared: 0x40 {
        0x00 => rw HEAD: u32,
        0x08 => ro TAIL: u64,
        0x10 => rw SLOTS: [u16; 4; stride 4],
        0x20 => block LAST: Inner,
        0x30 => memory NAME: [u8; 16],
    }
    Inner: 0x10 big endian {
        0x04 => rw COUNT: u32,
    }
}

fn fields_are_where_they_are_declared<P: TestPlatform>() {
    run::<P>(|scope| {
        let (device, side) = device(scope.platform());
        let dma = scope.dma(&device, 64)?;
        let shared = scope.dma_block::<Shared>(dma)?;
        assert_eq!(shared.size(), 0x40);

        shared.write(HEAD, 0x0102_0304);
        shared.write(SLOTS.nth::<2>(), 0x0506);
        shared.block(LAST).write(COUNT, 0x0708_090a);
        shared.memory(NAME).copy_in(2, b"name")?;
        let mut seen = [0; 0x40];
        assert!(side.read(shared.address(), &mut seen));
        assert_eq!(seen[..4], [4, 3, 2, 1]);
        assert_eq!(seen[0x18..0x1a], [6, 5]);
        assert_eq!(seen[0x24..0x28], [7, 8, 9, 10], "big endian");
        assert_eq!(seen[0x30..0x36], *b"\0\0name");
        assert_eq!(shared.read(HEAD), 0x0102_0304);
        assert_eq!(shared.block(LAST).read(COUNT), 0x0708_090a);

        assert!(side.write(shared.address() + 8, &77_u64.to_le_bytes()));
        assert_eq!(shared.read(TAIL), 77);

        let bytes = scope.dma_bytes(dma, 0x80)?;
        let block = bytes.block_at::<Shared>(0x40)?;
        assert_eq!(block.address(), bytes.address() + 0x40);
        block.write(HEAD, 9);
        assert_eq!(bytes.try_read::<u32>(0x40), Ok(9));
        assert_eq!(
            bytes.block_at::<Shared>(0x48).unwrap_err(),
            Error::OutOfBounds {
                offset: 0x48,
                width: 0x40,
                size: 0x80
            }
        );
        Ok(())
    });
}

fn a_ring_passes_descriptors<P: TestPlatform>() {
    run::<P>(|scope| {
        let (device, side) = device(scope.platform());
        let dma = scope.dma(&device, 32)?;
        let ring: DmaRing<'_, Entry, _> = scope.dma_ring(dma, 5)?;
        assert_eq!((ring.len(), ring.is_empty()), (5, false));
        let entry = Entry {
            address: 0x1122_3344_5566_7788,
            len: 9,
            owned: true,
        };
        ring.set(1, entry)?;
        ring.publish(4, Entry { len: 10, ..entry })?;
        assert_eq!(ring.address_of(4), Ok(ring.address() + 64));
        let mut seen = [0; 16];
        assert!(side.read(ring.address() + 16, &mut seen));
        let words = [0x5566_7788_u32, 0x1122_3344, 9, 1 << 31];
        assert_eq!(seen[..], words.map(u32::to_le_bytes).concat());
        assert_eq!(ring.get(4)?.len, 10);
        assert_eq!(ring.get(0)?.len, 0);

        // The device passes it back.
        assert!(side.write(ring.address_of(4)? + 8, &[20, 0, 0, 0, 0, 0, 0, 0]));
        let back = ring.observe(4)?;
        assert_eq!((back.len, back.owned), (20, false));

        let flagged = scope.dma_ring::<Flagged>(dma, 3)?;
        flagged.publish(2, Flagged([1, 2, 3]))?;
        assert_eq!(flagged.observe(2), Ok(Flagged([1, 2, 3])));
        assert_eq!(flagged.address_of(2), Ok(flagged.address() + 12));
        let mut seen = [0; 6];
        assert!(side.read(flagged.address() + 12, &mut seen));
        assert_eq!(seen, [1, 0, 2, 0, 3, 0]);

        let beyond = Error::NoSuchElement { index: 5, count: 5 };
        assert_eq!(ring.set(5, entry), Err(beyond));
        assert_eq!(ring.publish(5, entry), Err(beyond));
        assert_eq!(ring.get(5), Err(beyond));
        assert_eq!(ring.observe(5), Err(beyond));
        assert_eq!(ring.address_of(5), Err(beyond));
        Ok(())
    });
}

fn accesses_are_checked<P: TestPlatform>() {
    run::<P>(|scope| {
        let (device, _) = device(scope.platform());
        let bytes = scope.dma_bytes(scope.dma(&device, 32)?, 20)?;
        let outside = |offset, width, size| Error::OutOfBounds {
            offset,
            width,
            size,
        };
        assert_eq!(bytes.try_read::<u32>(16), Ok(0));
        assert_eq!(bytes.try_read::<u64>(16), Err(outside(16, 8, 20)));
        assert_eq!(bytes.try_write(20, 1_u8), Err(outside(20, 1, 20)));
        assert_eq!(
            bytes.try_write(usize::MAX, 1_u8),
            Err(outside(usize::MAX, 1, 20))
        );
        let askew = Error::Misaligned {
            offset: 2,
            width: 4,
        };
        assert_eq!(bytes.try_read::<u32>(2), Err(askew));
        assert_eq!(bytes.copy_in(1, &[1; 20]), Err(outside(1, 20, 20)));
        let mut to = [9; 4];
        assert_eq!(bytes.copy_out(17, &mut to), Err(outside(17, 4, 20)));
        assert_eq!(to, [9; 4], "nothing was read");
        assert_eq!(bytes.copy_in(20, &[]), Ok(()));
        let mut all = [9; 20];
        bytes.copy_out(0, &mut all)?;
        assert_eq!(all, [0; 20], "nothing was written");

        assert_eq!(
            bytes.part(4, 4).unwrap_err(),
            Error::Misaligned {
                offset: 4,
                width: 8
            }
        );
        assert_eq!(bytes.part(16, 5).unwrap_err(), outside(16, 5, 20));
        let part = bytes.part(8, 4)?;
        assert_eq!(part.try_read::<u32>(4), Err(outside(4, 4, 4)));
        assert!(bytes.part(16, 0)?.is_empty());
        Ok(())
    });
}

fn what_cannot_be_had_is_refused_and_nothing_is_lost<P: TestPlatform>() {
    run::<P>(|scope| {
        let (device, _) = device(scope.platform());
        for bits in [0, 65, u32::MAX] {
            assert_eq!(scope.dma(&device, bits).unwrap_err(), Error::DmaMask(bits));
        }
        let dma = scope.dma(&device, 22)?;
        assert_eq!(scope.dma_bytes(dma, 0).unwrap_err(), Error::ZeroSize);
        assert_eq!(
            scope.dma_ring::<Entry>(dma, 0).unwrap_err(),
            Error::ZeroSize
        );
        let half = usize::MAX / 2 + 1;
        assert_eq!(
            scope.dma_ring::<Entry>(dma, half).unwrap_err(),
            Error::TooLarge
        );
        assert_eq!(scope.dma_bytes(dma, half).unwrap_err(), Error::TooLarge);
        let much = scope.dma_bytes(dma, 1 << 32).unwrap_err();
        assert!(
            matches!(much, Error::NoMemory | Error::DmaMask(22)),
            "{much:?}"
        );

        // All that there is.
        let mut blocks = 0;
        let refused = loop {
            match scope.dma_bytes(dma, 1 << 16) {
                Ok(block) => {
                    assert!(block.address() + (1 << 16) <= 1 << 22);
                    block.try_write((1 << 16) - 1, 1_u8)?;
                    blocks += 1;
                }
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, Error::NoMemory | Error::DmaMask(22)));
        assert!(blocks >= 10, "{blocks}");
        let mut seen = 0;
        scope.inspect(|item| seen += usize::from(item.kind == Kind::DmaMemory));
        assert_eq!(seen, blocks);
        Ok(())
    });
}

fn without_memory_for_the_scope_nothing_is_kept<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (device, side) = device(&platform);
    run_on(&platform, |scope| {
        // What is left of the chunk is used up; then there is none.
        scope.platform().meter().refuse_from(1);
        while scope.alloc(0_u64).is_ok() {}
        assert_eq!(scope.dma(&device, 32).unwrap_err(), Error::NoMemory);
        assert!(!side.write(0x10_0000, &[1]), "not let on the bus");
        scope.platform().meter().refuse_from(0);
        let dma = scope.dma(&device, 32)?;
        scope.platform().meter().refuse_from(1);
        while scope.alloc(0_u64).is_ok() {}
        assert_eq!(scope.dma_bytes(dma, 8).unwrap_err(), Error::NoMemory);
        Ok(())
    });
}

/// A generator of numbers, always the same.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

fn copies_are_those_of_a_vec<P: TestPlatform>() {
    run::<P>(|scope| {
        let (device, side) = device(scope.platform());
        let dma = scope.dma(&device, 32)?;
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for size in [1, 7, 8, 9, 63, 200] {
            let bytes = scope.dma_bytes(dma, size)?;
            let mut model = vec![0; size];
            for round in 0..rounds(300, 20) {
                let start = numbers.next(size + 1);
                let end = start + numbers.next(size + 1 - start);
                let new: Vec<u8> = (start..end).map(|_| numbers.next(256) as u8).collect();
                match numbers.next(5) {
                    0 => {
                        bytes.copy_in(start, &new)?;
                        model[start..end].copy_from_slice(&new);
                    }
                    1 => {
                        assert!(side.write(bytes.address() + start as u64, &new));
                        model[start..end].copy_from_slice(&new);
                    }
                    2 => {
                        let mut seen = new;
                        bytes.copy_out(start, &mut seen)?;
                        assert_eq!(seen, model[start..end], "{size} {round}");
                    }
                    3 => {
                        let mut seen = new;
                        assert!(side.read(bytes.address() + start as u64, &mut seen));
                        assert_eq!(seen, model[start..end], "{size} {round}");
                    }
                    _ => {
                        let at = start & !3;
                        let word = numbers.next(1 << 32) as u32;
                        if bytes.try_write(at, word).is_ok() {
                            model[at..at + 4].copy_from_slice(&word.to_le_bytes());
                            assert_eq!(bytes.try_read(at), Ok(word));
                        } else {
                            assert!(at + 4 > size);
                        }
                    }
                }
            }
            let mut all = vec![0; size];
            bytes.copy_out(0, &mut all)?;
            assert_eq!(all, model);
        }
        Ok(())
    });
}

/// Each writes its own bytes of a word, by another width: no write is lost.
fn all_widths_at_the_same_time<P: TestPlatform>() {
    run::<P>(|scope| {
        let (device, side) = device(scope.platform());
        let bytes = scope.dma_bytes(scope.dma(&device, 32)?, 8)?;
        let times = if cfg!(miri) {
            50
        } else if cfg!(debug_assertions) {
            2_000
        } else {
            20_000
        };
        thread::scope(|threads| {
            threads.spawn(|| {
                for n in 0..=times {
                    bytes.try_write(0, n as u8).unwrap();
                    assert_eq!(bytes.try_read(0), Ok(n as u8));
                }
            });
            threads.spawn(|| {
                for n in 0..=times {
                    bytes.try_write(2, n as u16).unwrap();
                    assert_eq!(bytes.try_read(2), Ok(n as u16));
                    let _ = bytes.try_read::<u64>(0);
                }
            });
            threads.spawn(|| {
                for n in 0..=times {
                    let n = (n as u32).to_le_bytes();
                    assert!(side.write(bytes.address() + 4, &n));
                    let mut seen = [0; 4];
                    assert!(side.read(bytes.address() + 4, &mut seen));
                    assert_eq!(seen, n);
                }
            });
        });
        assert_eq!(bytes.try_read(0), Ok(times as u8));
        assert_eq!(bytes.try_read(1), Ok(0_u8));
        assert_eq!(bytes.try_read(2), Ok(times as u16));
        assert_eq!(bytes.try_read(4), Ok(times as u32));
        Ok(())
    });
}

fn memory_is_inspected<P: TestPlatform>() {
    run::<P>(|scope| {
        let (device, _) = device(scope.platform());
        let dma = scope.named("way").dma(&device, 32)?;
        let bytes = scope.named("ring").dma_bytes(dma, 0x123)?;
        let mut seen = Vec::new();
        scope.inspect(|item| seen.push((item.kind, item.details, item.to_string())));
        let address = bytes.address();
        assert_eq!(
            seen,
            [
                (
                    Kind::DmaMemory,
                    Details::Dma {
                        address,
                        size: 0x123
                    },
                    format!("DMA memory ring: 0x123 bytes at {address:#x}")
                ),
                (Kind::Dma, Details::Held, "DMA way: held".into()),
            ]
        );
        Ok(())
    });
}

#[test]
fn a_block_beyond_the_mask_is_given_back() {
    let platform = Metered::<Foreign>::fresh();
    let machine = platform.inner().machine().clone();
    let (device, _) = device(&platform);
    run_on(&platform, |scope| {
        let dma = scope.dma(&device, 40)?;
        machine.lie();
        let refused = scope.dma_bytes(dma, 64).unwrap_err();
        assert_eq!(refused, Error::DmaMask(40));
        assert_eq!(
            machine.log().lines(),
            ["claim for 40 bits", "allocate", "free"]
        );
        machine.assert_poisoned();
        Ok(())
    });
    run_on(&platform, |scope| {
        scope.dma_bytes(scope.dma(&device, 41)?, 64)?;
        Ok(())
    });
}

#[test]
fn a_platform_may_refuse_a_mask_at_once() {
    let platform = Metered::<Foreign>::fresh();
    let machine = platform.inner().machine().clone();
    let (device, _) = device(&platform);
    run_on(&platform, |scope| {
        // Its memory ends at 2 MiB.
        assert_eq!(scope.dma(&device, 20).unwrap_err(), Error::DmaMask(20));
        assert!(machine.log().lines().is_empty());
        let dma = scope.dma(&device, 21)?;
        // Who has it keeps it, and has the same mask.
        assert_eq!(scope.dma(&device, 32).unwrap_err(), Error::DmaInUse);
        scope.dma_bytes(dma, 64)?;
        assert_eq!(machine.log().lines(), ["claim for 21 bits", "allocate"]);
        Ok(())
    });
}

#[test]
fn a_host_may_have_another_way_to_memory_or_none() {
    let host: Host<Emulated, NoDma> = Host::builder().build().unwrap();
    // The platform is told apart by its type: no device for this one could be made with a way to memory.
    let device = PciDevice::<Host<Emulated, NoDma>>::new(1, 2);
    assert_eq!(device.dma().map(drop), Err(Error::Unsupported));
    // And it is a whole platform otherwise.
    let ticks = AtomicU32::new(0);
    let ran = host.may_sleep(|cx| {
        enter(host.clone(), cx, &ticks, |ticks, scope| {
            let timer = scope.hrtimer(|_| {
                ticks.fetch_add(1, Ordering::Relaxed);
                Restart::No
            })?;
            timer.start(Duration::ZERO)?;
            while ticks.load(Ordering::Relaxed) == 0 {
                scope.sleep(1.millis());
            }
            Ok::<(), Error>(())
        })
    });
    assert_eq!(ran, Ok(()));
}
