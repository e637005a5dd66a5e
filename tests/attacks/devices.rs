//! Lines that change hands, memory that ends where addresses end, items with the names of what is inside a macro.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use driver_scope::event::Event;
use driver_scope::platform::{DmaSpace, Host, IrqLine, Model, Region, Sim};
use driver_scope::{
    dma::Descriptor, enter, registers, DriverScope, Error, IrqReturn, Registers, Units,
};

use crate::common::{memory_region, run, wait_until, TestPlatform};

/// In the midst of a round the line's only handler goes, and one of another platform comes: that is called by its own platform alone, for which time stands still.
#[test]
fn a_line_changes_its_platform_in_the_midst_of_a_round() {
    let (host, sim) = (Host::new().unwrap(), Sim::new());
    let line = IrqLine::new();
    let [inside, leave] = [(); 2].map(|()| AtomicBool::new(false));
    let calls = AtomicU32::new(0);
    thread::scope(|threads| {
        let first = threads.spawn(|| {
            host.may_sleep(|cx| {
                enter(
                    host.clone(),
                    cx,
                    &(&line, &inside, &leave),
                    |&(line, inside, leave), scope| {
                        scope.irq(line, move |_| {
                            inside.store(true, SeqCst);
                            wait_until(|| leave.load(SeqCst));
                            IrqReturn::Handled
                        })?;
                        line.raise();
                        wait_until(|| inside.load(SeqCst));
                        Ok::<(), Error>(())
                    },
                )
            })
        });
        wait_until(|| inside.load(SeqCst));
        sim.may_sleep(|cx| {
            enter(
                sim.clone(),
                cx,
                &(&line, &calls),
                |&(line, calls), scope| {
                    let handler = move |_: &mut driver_scope::IrqContext<'_, Sim>| {
                        calls.fetch_add(1, SeqCst);
                        IrqReturn::Handled
                    };
                    // Until the teardown has taken the other one off.
                    while scope.irq(line, handler).err() == Some(Error::Unsupported) {
                        thread::yield_now();
                    }
                    line.raise();
                    leave.store(true, SeqCst);
                    assert_eq!(first.join().unwrap(), Ok(()));
                    thread::sleep(Duration::from_millis(20));
                    assert_eq!(calls.load(SeqCst), 0, "called by another platform");
                    // The end of the other's round asks for one here, perhaps only now.
                    wait_until(|| {
                        scope.sleep(1.millis());
                        calls.load(SeqCst) == 1
                    });
                    Ok::<(), Error>(())
                },
            )
        })
        .unwrap();
    });
    line.raise();
    sim.advance(1.secs());
    assert_eq!(calls.load(SeqCst), 1);
}

/// The same while its handlers are told that the line was switched off: the newcomer is not told of that, which was before its time, and has the line on.
#[test]
#[cfg_attr(miri, ignore = "it takes 100,000 interrupts")]
fn a_line_changes_its_platform_in_the_midst_of_a_storm() {
    let flags = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let [inside, leave] = flags.clone();
    let host = Host::with_tracer(move |event| {
        if let Event::Storm { .. } = event {
            inside.store(true, SeqCst);
            wait_until(|| leave.load(SeqCst));
        }
    })
    .unwrap();
    let [inside, leave] = &flags;
    let (sim, line) = (Sim::with_log(), IrqLine::new());
    let calls = AtomicU32::new(0);
    thread::scope(|threads| {
        let first = threads.spawn(|| {
            host.may_sleep(|cx| {
                enter(host.clone(), cx, &line, |line, scope| {
                    scope.irq(line, |_| IrqReturn::None)?;
                    line.set_level(true);
                    wait_until(|| inside.load(SeqCst));
                    Ok::<(), Error>(())
                })
            })
        });
        wait_until(|| inside.load(SeqCst));
        sim.may_sleep(|cx| {
            enter(
                sim.clone(),
                cx,
                &(&line, &calls),
                |&(line, calls), scope| {
                    let handler = move |_: &mut driver_scope::IrqContext<'_, Sim>| {
                        line.set_level(false);
                        calls.fetch_add(1, SeqCst);
                        IrqReturn::Handled
                    };
                    while scope.irq(line, handler).err() == Some(Error::Unsupported) {
                        thread::yield_now();
                    }
                    leave.store(true, SeqCst);
                    assert_eq!(first.join().unwrap(), Ok(()));
                    wait_until(|| {
                        scope.sleep(1.millis());
                        calls.load(SeqCst) == 1
                    });
                    Ok::<(), Error>(())
                },
            )
        })
        .unwrap();
    });
    let told = sim.log();
    assert!(
        !told.iter().any(|l| l.contains("switched off")),
        "{told:#?}"
    );
}

/// A device of all addresses but the last: whatever is accessed there lies inside, and no sum wraps.
struct Endless(Mutex<Vec<(u64, u8)>>);

impl Model for Endless {
    fn read(&self, offset: u64, width: u8) -> u64 {
        assert_eq!(offset % u64::from(width), 0);
        assert!(offset.checked_add(width.into()).is_some());
        self.0.lock().unwrap().push((offset, width));
        0
    }
    fn write(&self, offset: u64, width: u8, _value: u64) {
        self.read(offset, width);
    }
}

struct Words;
impl Registers for Words {
    const SIZE: usize = 8;
}

pub(super) fn a_region_of_all_addresses_ends_at_its_end<P: TestPlatform>() {
    const END: usize = usize::MAX;
    run::<P>(|scope| {
        let model = Arc::new(Endless(Mutex::default()));
        let bytes = scope.map::<[u8]>(&Region::new(model.clone(), END))?;
        let outside = |offset, width| Error::OutOfBounds {
            offset,
            width,
            size: END,
        };
        assert_eq!(bytes.try_read::<u64>(END - 7), Err(outside(END - 7, 8)));
        assert_eq!(bytes.try_read::<u8>(END), Err(outside(END, 1)));
        assert_eq!(bytes.read_bytes(END, &mut [0]), Err(outside(END, 1)));
        assert_eq!(bytes.read_bytes(END - 3, &mut [0; 3]), Ok(()));
        assert_eq!(
            bytes.read_bytes(END - 3, &mut [0; 4]),
            Err(outside(END - 3, 4))
        );
        assert_eq!(
            bytes.write_words(END - 7, &[0_u32; 2]),
            Err(outside(END - 7, 8))
        );
        assert_eq!(
            bytes.block_at::<Words>(END - 7).err(),
            Some(outside(END - 7, 8))
        );
        let (_, tail) = bytes.split_at(END - 15)?;
        let (_, tail) = tail.split_at(8)?;
        assert_eq!(tail.len(), 7);
        tail.write_bytes(0, &[0; 7])?;
        assert!(tail.write_bytes(1, &[0; 7]).is_err());
        assert!(tail.try_write(8, 0_u8).is_err());
        let last = model
            .0
            .lock()
            .unwrap()
            .iter()
            .map(|(at, width)| at + u64::from(*width))
            .max();
        assert_eq!(last, Some(END as u64));
        Ok(())
    });
}

mod names {
    driver_scope::registers! {
        pub Block: 32 {
            0 => rw MISFIT: u8,
            1 => rw OFFSET: u8,
            2 => rw NAME: u8,
            3 => rw Item: u8,
            4 => rw Mmio: u8,
            5 => rw core: u8,
            6 => rw Described: [u8; 2; stride 1],
            8 => rw Element: u64,
            16 => rw misfit: u8,
            17 => rw declared: u8,
            18 => rw std: u8,
            19 => rw I: u8,
        }
    }
}

/// What an item is called changes neither where it lies nor whether that is looked at.
pub(super) fn items_are_called_like_what_is_inside_the_macro<P: TestPlatform>() {
    run::<P>(|scope| {
        let region = memory_region(32);
        let regs = scope.map::<names::Block>(&region)?;
        regs.write(names::MISFIT, 1);
        regs.write(names::OFFSET, 2);
        regs.write(names::NAME, 3);
        regs.write(names::Item, 4);
        regs.write(names::Mmio, 5);
        regs.write(names::core, 6);
        regs.write(names::Described.nth::<1>(), 8);
        regs.write(names::Described.at(0)?, 7);
        regs.write(names::Element, u64::MAX);
        regs.write(names::misfit, 17);
        regs.write(names::declared, 18);
        regs.write(names::std, 19);
        regs.write(names::I, 20);
        let block = regs.read(names::MISFIT);
        assert_eq!((block, regs.read(names::Described.nth::<0>())), (1, 7));
        assert_eq!(regs.read(names::core), 6);
        assert_eq!(regs.read(names::I), 20);
        Ok(())
    });
}

/// As odd as a descriptor can be, and its owner not at its end.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Odd([u8; 3]);

impl Descriptor for Odd {
    type Words = [u8; 3];
    const OWNER: usize = 1;
    fn to_words(self) -> [u8; 3] {
        self.0
    }
    fn from_words(words: [u8; 3]) -> Self {
        Odd(words)
    }
}

registers! {
    Unused: 8 {}
}

/// Two blocks, each with its end inside of a word of the machine: who writes to one changes nothing of the other, and nothing beyond.
#[test]
fn descriptors_of_odd_sizes_stay_apart() {
    const COUNT: usize = 7;
    let (sim, space) = (Sim::new(), DmaSpace::new());
    sim.may_sleep(|cx| {
        enter(
            sim.clone(),
            cx,
            &space,
            |space, scope: &DriverScope<'_, Sim>| {
                let dma = scope.dma(space, 64)?;
                let rings = [
                    scope.dma_ring::<Odd>(dma, COUNT)?,
                    scope.dma_ring::<Odd>(dma, COUNT)?,
                ];
                let nothing = scope.dma_ring::<Odd>(dma, 0).err();
                assert_eq!(nothing, Some(Error::ZeroSize));
                let wraps = scope.dma_ring::<Odd>(dma, usize::MAX / 3 + 1).err();
                assert_eq!(wraps, Some(Error::TooLarge));
                scope.dma_block::<Unused>(dma)?;
                thread::scope(|threads| {
                    for (own, ring) in rings.into_iter().enumerate() {
                        for of in 0..2 {
                            // Each thread has every other descriptor, in words that it shares with the other thread.
                            threads.spawn(move || {
                                for round in 0..200_u8 {
                                    for index in (of..COUNT).step_by(2) {
                                        let set = Odd([own as u8, round, index as u8]);
                                        ring.publish(index, set).unwrap();
                                        assert_eq!(ring.observe(index), Ok(set));
                                        assert_eq!(ring.get(index), Ok(set));
                                    }
                                }
                            });
                        }
                    }
                });
                for (own, ring) in rings.into_iter().enumerate() {
                    assert!(ring.set(COUNT, Odd([9; 3])).is_err());
                    assert!(ring.get(usize::MAX).is_err());
                    let mut bytes = [0xee; 3 * COUNT];
                    space.read(ring.address(), &mut bytes).unwrap();
                    for (index, bytes) in bytes.chunks(3).enumerate() {
                        assert_eq!(bytes, [own as u8, 199, index as u8]);
                    }
                    assert!(space.read(ring.address(), &mut [0; 3 * COUNT + 1]).is_err());
                    assert!(space
                        .write(ring.address() + 3 * COUNT as u64, &[0])
                        .is_err());
                }
                Ok::<(), Error>(())
            },
        )
    })
    .unwrap();
    assert_eq!(space.blocks(), 0);
}
