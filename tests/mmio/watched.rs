//! What a bus is asked for: which accesses are to be ordered, and whether a device has vanished.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use core::ptr::NonNull;

use driver_scope::platform::{Bus, Emulated, Io, Mapped, Region};
use driver_scope::{enter, registers, DriverScope, Error, Platform, Poll, Units, Word};

use crate::common::{hand_on, TestPlatform};
use crate::device::device;

registers! {
    Regs: 0x40 {
        0x00 => rw PLAIN: u32,
        0x04 => ro SURE: u32 where !0 is gone,
        0x08 => rc CLEARS: u16,
        0x0c => w1c CAUSES: u32,
        0x20 => block INNER: Inner,
    }

    Inner: 8 {
        0x04 => ro DEEP: u32,
    }
}

/// An access, as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Read,
    ReadRelaxed,
    Write,
    WriteRelaxed,
    /// Whether what read as this had vanished.
    Vanished(u64),
}
use Asked::*;

/// The bus to models, with a witness.
enum Watched {}

#[derive(Default)]
struct Witness {
    asked: Mutex<Vec<Asked>>,
    vanished: AtomicBool,
}

impl Witness {
    /// What was asked for since the last call.
    fn asked(&self) -> Vec<Asked> {
        mem::take(&mut self.asked.lock().unwrap())
    }
}

struct Mapping {
    mapped: Mapped,
    witness: Arc<Witness>,
}

#[derive(Clone, Copy)]
struct WatchedIo {
    io: Io,
    witness: NonNull<Witness>,
}

// SAFETY: the pointer is only used as a shared reference to a `Witness`, which is `Sync`.
unsafe impl Send for WatchedIo {}
// SAFETY: as above.
unsafe impl Sync for WatchedIo {}

impl WatchedIo {
    /// Notes it, and gives back how to do it.
    ///
    /// # Safety
    /// The mapping has not been dropped.
    unsafe fn noted(self, asked: Asked) -> Io {
        // SAFETY: the mapping keeps it alive, says the caller.
        let witness = unsafe { self.witness.as_ref() };
        witness.asked.lock().unwrap().push(asked);
        self.io
    }
}

// SAFETY: all of it is the inner bus's; the witness lives as long as the mapping, and does not move.
unsafe impl Bus for Watched {
    type Region = (Region, Arc<Witness>);
    type Mapping = Mapping;
    type Io = WatchedIo;

    fn map((region, witness): &(Region, Arc<Witness>)) -> Result<Mapping, Error> {
        Ok(Mapping {
            mapped: Emulated::map(region)?,
            witness: Arc::clone(witness),
        })
    }

    fn size(mapping: &Mapping) -> usize {
        Emulated::size(&mapping.mapped)
    }

    fn io(mapping: &Mapping) -> WatchedIo {
        WatchedIo {
            io: Emulated::io(&mapping.mapped),
            witness: NonNull::from(&*mapping.witness),
        }
    }

    unsafe fn part(io: WatchedIo, offset: usize) -> WatchedIo {
        WatchedIo {
            // SAFETY: (here and below) the caller's promise.
            io: unsafe { Emulated::part(io.io, offset) },
            ..io
        }
    }

    unsafe fn read<T: Word>(io: WatchedIo, offset: usize) -> T {
        // SAFETY: see `part`.
        unsafe { Emulated::read(io.noted(Read), offset) }
    }

    unsafe fn read_relaxed<T: Word>(io: WatchedIo, offset: usize) -> T {
        // SAFETY: see `part`.
        unsafe { Emulated::read_relaxed(io.noted(ReadRelaxed), offset) }
    }

    unsafe fn write<T: Word>(io: WatchedIo, offset: usize, value: T) {
        // SAFETY: see `part`.
        unsafe { Emulated::write(io.noted(Write), offset, value) }
    }

    unsafe fn write_relaxed<T: Word>(io: WatchedIo, offset: usize, value: T) {
        // SAFETY: see `part`.
        unsafe { Emulated::write_relaxed(io.noted(WriteRelaxed), offset, value) }
    }

    unsafe fn vanished<T: Word>(io: WatchedIo, value: T) -> bool {
        // SAFETY: see `part`; the witness lives as long as the mapping.
        unsafe {
            io.noted(Vanished(value.to_u64()));
            io.witness.as_ref().vanished.load(SeqCst)
        }
    }
}

/// `P` with that bus.
#[derive(Clone)]
struct Watching<P>(P);

// SAFETY: the promises are those of `P`, to which everything is handed on.
unsafe impl<P: TestPlatform> Platform for Watching<P> {
    hand_on!(P, 0: lock, memory, timers, sections, defer, pause, trace);
    type Bus = Watched;
    type Deferred = P::Deferred;
}

fn watched<P: TestPlatform>(
    bytes: [u8; 64],
    f: impl for<'drv> FnOnce(
        &DriverScope<'drv, Watching<P>>,
        &(Region, Arc<Witness>),
    ) -> Result<(), Error>,
) {
    let platform = P::fresh();
    let region = (device(bytes).1, Arc::default());
    platform
        .lend_sleep(|cx| {
            enter(Watching(platform.clone()), cx, &region, |region, scope| {
                f(scope, region)
            })
        })
        .expect("the test's own calls succeed");
}

pub fn a_bus_may_know_that_a_device_has_vanished<P: TestPlatform>() {
    watched::<P>([0; 64], |scope, region| {
        let regs = scope.map::<Regs>(region)?;
        let witness = &region.1;
        let poll = |done: fn(u32) -> bool| {
            let how = Poll::sleeping(scope.platform(), scope.may_sleep(), 1.micros(), 5.micros());
            regs.poll(PLAIN, how, done)
        };
        assert_eq!(poll(|plain| plain == 0), Ok(0));
        assert_eq!(witness.asked(), [Read, Vanished(0)]);
        assert_eq!(poll(|plain| plain == 1), Err(Error::TimedOut));
        regs.write(PLAIN, 0x5555);

        // The register could say so, and does not (as on QEMU, where what was pulled out reads as zero).
        witness.vanished.store(true, SeqCst);
        witness.asked();
        assert_eq!(poll(|_| true), Err(Error::Gone));
        assert_eq!(regs.read_or_gone(SURE), Err(Error::Gone));
        assert_eq!(witness.asked(), [Read, Vanished(0x5555), Read, Vanished(0)]);
        // A part of the mapping asks the same.
        let how = Poll::spinning(scope.platform(), 1.micros(), 5.micros());
        let found = regs.block(INNER).poll(DEEP, how, |_| true);
        assert_eq!(found, Err(Error::Gone));
        // Nobody asks at a plain access.
        witness.asked();
        assert_eq!(regs.read(SURE), 0);
        assert_eq!(witness.asked(), [Read]);
        Ok(())
    });
}

pub fn only_what_is_ordered_is_ordered<P: TestPlatform>() {
    watched::<P>([0; 64], |scope, region| {
        let witness = &region.1;
        let (bytes, _) = scope.map::<[u8]>(region)?.split_at(64)?;
        let regs = bytes.block::<Regs>()?;
        let _ = regs.read(PLAIN);
        regs.write(PLAIN, 0);
        regs.modify(PLAIN, |plain| plain);
        let _ = regs.take(CLEARS);
        regs.clear(CAUSES, 1);
        bytes.try_read::<u8>(0)?;
        bytes.try_write::<u8>(0, 0)?;
        assert_eq!(
            witness.asked(),
            [Read, Write, Read, Write, Read, Write, Read, Write]
        );
        let _ = regs.read_relaxed(PLAIN);
        regs.write_relaxed(PLAIN, 0);
        regs.modify_relaxed(PLAIN, |plain| plain);
        bytes.try_read_relaxed::<u8>(0)?;
        bytes.try_write_relaxed::<u8>(0, 0)?;
        assert_eq!(
            witness.asked(),
            [
                ReadRelaxed,
                WriteRelaxed,
                ReadRelaxed,
                WriteRelaxed,
                ReadRelaxed,
                WriteRelaxed
            ]
        );
        Ok(())
    });
}

/// The last of those that read, the first of those that write: the others lie before or behind it.
pub fn one_access_of_a_copy_is_ordered<P: TestPlatform>() {
    watched::<P>([0; 64], |scope, region| {
        let witness = &region.1;
        let bytes = scope.map::<[u8]>(region)?;
        bytes.read_bytes(1, &mut [0; 15])?;
        assert_eq!(
            witness.asked(),
            [ReadRelaxed, ReadRelaxed, ReadRelaxed, Read]
        );
        bytes.write_bytes(1, &[0; 15])?;
        assert_eq!(
            witness.asked(),
            [Write, WriteRelaxed, WriteRelaxed, WriteRelaxed]
        );
        bytes.read_words::<u16>(2, &mut [0; 3])?;
        assert_eq!(witness.asked(), [ReadRelaxed, ReadRelaxed, Read]);
        bytes.write_words::<u16>(2, &[0; 3])?;
        assert_eq!(witness.asked(), [Write, WriteRelaxed, WriteRelaxed]);
        bytes.read_bytes(8, &mut [0; 8])?;
        bytes.write_bytes(8, &[0; 8])?;
        bytes.read_words::<u32>(8, &mut [0])?;
        bytes.write_words::<u32>(8, &[0])?;
        assert_eq!(witness.asked(), [Read, Write, Read, Write]);
        bytes.read_bytes(1, &mut [])?;
        bytes.write_words::<u32>(0, &[])?;
        assert_eq!(witness.asked(), []);
        Ok(())
    });
}
