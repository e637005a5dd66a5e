//! No device reaches memory when it is freed, however a scope ends.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::Arc;
use std::thread;

use driver_scope::platform::Dma;
use driver_scope::{enter, Binding, DmaBuffer, Driver, DriverScope, Error, Platform};

use super::common::{
    self, leaked_on_purpose, on_purpose, run, run_on, wait_until, DeviceSide, Foreign, Metered,
    TestPlatform,
};
use super::{device, Entry};
use crate::on_every_platform;

on_every_platform!(
    a_device_has_one_scope_at_a_time,
    all_devices_are_quiet_before_anything_is_released,
    a_late_writer_meets_nothing,
    a_failed_probe_quiets_the_device,
    a_panicked_probe_quiets_the_device,
    an_unwinding_enter_quiets_the_device,
    destructors_still_have_their_memory,
);

fn a_device_has_one_scope_at_a_time<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (device, side) = device(&platform);
    let mut before = 0;
    for _ in 0..3 {
        run_on(&platform, |scope| {
            let dma = scope.dma(&device, 32)?;
            assert_eq!(scope.dma(&device, 32).unwrap_err(), Error::DmaInUse);
            scope.platform().lend_sleep(|cx| {
                enter(scope.platform().clone(), cx, &device, |device, inner| {
                    assert_eq!(inner.dma(device, 32).unwrap_err(), Error::DmaInUse);
                });
            });
            let bytes = scope.dma_bytes(dma, 8)?;
            assert!(side.write(bytes.address(), &[1; 8]));
            assert_ne!(
                bytes.address(),
                before,
                "an address is not used again so soon"
            );
            before = bytes.address();
            Ok(())
        });
        assert!(!side.write(before, &[2; 8]));
    }
}

fn all_devices_are_quiet_before_anything_is_released<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (one, two) = (device(&platform), device(&platform));
    let region = common::memory_region(8);
    run_on(&platform, |scope| {
        let dma = scope.named("one").dma(&one.0, 32)?;
        scope.named("a").dma_bytes(dma, 8)?;
        scope.named("bar").map::<[u8]>(&region)?;
        let dma = scope.named("two").dma(&two.0, 32)?;
        scope.named("b").dma_bytes(dma, 8)?;
        scope.named("c").dma_ring::<Entry>(dma, 4)?;
        Ok(())
    });
    let lines = platform.log().lines();
    let begin = lines.iter().position(|l| l == "enter: release").unwrap();
    assert_eq!(
        lines[begin..],
        [
            "enter: release",
            "enter: DMA two: made quiet",
            "enter: DMA one: made quiet",
            "enter: DMA memory c: dropped",
            "enter: DMA memory b: dropped",
            "enter: mapping bar: dropped",
            "enter: DMA memory a: dropped",
            "enter: done",
        ]
    );
}

/// A device that writes wherever it was told to, all the time, until the test is over.
struct Writer {
    side: Arc<dyn DeviceSide>,
    target: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU32>,
    refused: Arc<AtomicU32>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    fn new(side: Arc<dyn DeviceSide>) -> Self {
        let target = Arc::new(AtomicU32::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let written = Arc::new(AtomicU32::new(0));
        let refused = Arc::new(AtomicU32::new(0));
        let writer = (
            target.clone(),
            stop.clone(),
            written.clone(),
            refused.clone(),
        );
        let own = side.clone();
        let thread = thread::spawn(move || {
            let (target, stop, written, refused) = writer;
            while !stop.load(Ordering::Relaxed) {
                let address = target.load(Ordering::Relaxed);
                if address != 0 {
                    let done = own.write(address.into(), &[0x55; 24]);
                    let count = if done { &written } else { &refused };
                    count.fetch_add(1, Ordering::Relaxed);
                }
                thread::yield_now();
            }
        });
        Writer {
            side,
            target,
            stop,
            written,
            refused,
            thread: Some(thread),
        }
    }

    /// Waits until it writes.
    fn start(&self, address: u64) {
        self.target.store(address as u32, Ordering::Relaxed);
        let before = self.written.load(Ordering::Relaxed);
        wait_until(|| self.written.load(Ordering::Relaxed) > before);
    }

    /// It still tries, and nothing comes of it.
    fn assert_refused(&self) {
        let before = self.refused.load(Ordering::Relaxed);
        wait_until(|| self.refused.load(Ordering::Relaxed) > before + 2);
        let written = self.written.load(Ordering::Relaxed);
        let before = self.refused.load(Ordering::Relaxed);
        wait_until(|| self.refused.load(Ordering::Relaxed) > before + 20);
        assert_eq!(self.written.load(Ordering::Relaxed), written);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking());
    }
}

/// What a probe does after the device has begun to write.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Bind,
    Fail,
    Panic,
}

/// A device that begins to write when it is told where.
struct Nic<P: Platform> {
    dma: <P::Dma as Dma>::Device,
    writer: Writer,
    fate: Fate,
}

struct NicDriver;

impl<P: TestPlatform> Driver<P> for NicDriver {
    type Device = Nic<P>;
    type Data<'drv> = DmaBuffer<'drv, [u8], P>;
    type Error = Error;

    fn probe<'drv>(
        dev: &'drv Nic<P>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Self::Data<'drv>, Error> {
        let dma = scope.dma(&dev.dma, 32)?;
        let bytes = scope.dma_bytes(dma, 24)?;
        // What becomes of handles does not matter.
        leaked_on_purpose((bytes, scope.dma_bytes(dma, 4096)?, dma));
        dev.writer.start(bytes.address());
        match dev.fate {
            Fate::Bind => Ok(bytes),
            Fate::Fail => Err(Error::NoDevice),
            Fate::Panic => on_purpose("in probe"),
        }
    }
}

fn nic<P: TestPlatform>(fate: Fate) -> (Metered<P>, Nic<Metered<P>>) {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let (dma, side) = device(&platform);
    let writer = Writer::new(side);
    (platform, Nic { dma, writer, fate })
}

fn a_late_writer_meets_nothing<P: TestPlatform>() {
    let (platform, nic) = nic::<P>(Fate::Bind);
    platform.lend_sleep(|cx| {
        let bind = Binding::<NicDriver, _>::bind(platform.clone(), nic, cx);
        let binding = bind.map_err(|failed| failed.error).unwrap();
        binding.with(|bytes| {
            wait_until(|| bytes.try_read(16) == Ok(0x5555_5555_u32));
        });
        let nic = binding.unbind(cx).unwrap();
        nic.writer.assert_refused();
        // And again, with the device still at it.
        let binding = Binding::<NicDriver, _>::bind(platform.clone(), nic, cx);
        let nic = binding.map_err(|failed| failed.error).unwrap().unbind(cx);
        nic.unwrap().writer.assert_refused();
    });
    platform.assert_at_rest();
}

fn a_failed_probe_quiets_the_device<P: TestPlatform>() {
    let (platform, nic) = nic::<P>(Fate::Fail);
    platform.lend_sleep(|cx| {
        let failed = Binding::<NicDriver, _>::bind(platform.clone(), nic, cx).unwrap_err();
        assert_eq!(failed.error, Error::NoDevice);
        failed.device.writer.assert_refused();
    });
    platform.assert_at_rest();
}

fn a_panicked_probe_quiets_the_device<P: TestPlatform>() {
    let (platform, nic) = nic::<P>(Fate::Panic);
    let (target, side) = (nic.writer.target.clone(), nic.writer.side.clone());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        platform.lend_sleep(|cx| {
            let _ = Binding::<NicDriver, _>::bind(platform.clone(), nic, cx);
        });
    }));
    assert!(panicked.is_err());
    let target = target.load(Ordering::Relaxed);
    assert!(target != 0 && !side.write(target.into(), &[1]));
    platform.assert_at_rest();
}

fn an_unwinding_enter_quiets_the_device<P: TestPlatform>() {
    let (platform, nic) = nic::<P>(Fate::Panic);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        platform.lend_sleep(|cx| {
            enter(platform.clone(), cx, &nic, |nic, scope| {
                let _ = NicDriver::probe(nic, scope);
            });
        });
    }));
    assert!(panicked.is_err());
    nic.writer.assert_refused();
    platform.assert_at_rest();
}

/// Memory is there, and the device reaches it, until everything has been destroyed.
fn destructors_still_have_their_memory<P: TestPlatform>() {
    struct Last<'drv, P: Platform> {
        bytes: DmaBuffer<'drv, [u8], P>,
        side: Arc<dyn DeviceSide>,
    }
    impl<P: Platform> Drop for Last<'_, P> {
        fn drop(&mut self) {
            self.bytes.try_write(0, 7_u8).unwrap();
            let mut seen = [0];
            assert!(self.side.read(self.bytes.address(), &mut seen));
            assert_eq!(seen, [7]);
        }
    }
    run::<P>(|scope| {
        let (device, side) = device(scope.platform());
        let bytes = scope.dma_bytes(scope.dma(&device, 32)?, 8)?;
        let last = Last { bytes, side };
        scope.hrtimer(move |_| {
            let _ = &last;
            driver_scope::Restart::No
        })?;
        Ok(())
    });
}

/// The machine has no IOMMU: only the order keeps what was freed from being written.
#[test]
fn nothing_writes_what_was_freed() {
    for fate in [Fate::Bind, Fate::Fail, Fate::Panic] {
        let platform = Metered::<Foreign>::fresh();
        platform.expect_panics();
        let (dma, side) = device(&platform);
        let writer = Writer::new(side);
        let nic = Nic { dma, writer, fate };
        let machine = platform.inner().machine().clone();
        let _ = catch_unwind(AssertUnwindSafe(|| {
            platform.lend_sleep(|cx| {
                enter(platform.clone(), cx, &nic, |nic, scope| {
                    let _ = NicDriver::probe(nic, scope);
                });
            });
        }));
        nic.writer.assert_refused();
        machine.assert_poisoned();
        assert_eq!(
            machine.log().lines(),
            [
                "claim for 32 bits",
                "allocate",
                "allocate",
                "quiet",
                "free",
                "free",
                "drop"
            ]
        );
        platform.assert_at_rest();
    }
}
