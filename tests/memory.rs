//! No memory and bad input: an error, nothing lost, and all is as it was before.
//!
//! Seen to fail with: an action not run for lack of memory, regions mapped twice, sizes not compared, alignment ignored, no second try
//! for a smaller chunk.

use std::cell::Cell;
use std::mem;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use common::{memory_region, run_on, until, Log, Metered, Note, TestPlatform};
use driver_scope::platform::{Region, Sim};
use driver_scope::{
    enter, registers, Binding, Driver, DriverScope, Error, Mmio, PciDevice, Registers, Restart,
    Units,
};

mod common;

on_every_platform!(
    bind_survives_any_lack_of_memory,
    enter_survives_any_lack_of_memory,
    a_little_memory_is_enough,
    what_could_not_be_kept_is_dropped,
    a_region_is_mapped_once_at_a_time,
    a_region_must_be_large_enough,
    an_access_must_be_aligned_and_inside,
    a_device_has_the_bars_it_was_given,
    large_values_fit,
    aligned_values_are,
    values_of_no_size_are_dropped_too,
    allocated_values_may_borrow_and_change,
);

registers! {
    Regs: 16 {
        8 => rw LAST: u64,
    }
}

/// A value too large for two to be in one chunk, so that each asks for memory.
struct Large([u8; 800], #[allow(dead_code)] Note);

impl Large {
    fn new(log: &Log, name: &'static str) -> Self {
        Large([7; 800], log.note(name))
    }
}

/// Registers one of each kind, all large. Says how far it got: a lack of memory is to be passed on at once.
fn register_all<'drv, P: TestPlatform>(
    scope: &DriverScope<'drv, P>,
    log: &Log,
    region: &Region,
) -> Result<(), Error> {
    let hook = Large::new(log, "hook");
    let (owned, timer, vacant) = (
        Large::new(log, "owned"),
        Large::new(log, "timer"),
        Large::new(log, "vacant"),
    );
    scope.on_remove(move |_| hook.1.log().add("hook runs"))?;
    scope.alloc([1_u64; 100])?;
    scope.own(owned)?;
    let timer = scope.hrtimer(move |t| {
        assert_eq!(timer.0[799], 7);
        t.restart_after(100.micros())
    })?;
    timer.start(0.nanos())?;
    let (_, place) = scope.vacant_hrtimer()?;
    place.set(scope, move |_| {
        let _all_of_it = &vacant;
        Restart::No
    })?;
    scope.map::<Regs>(region)?;
    Ok(())
}

/// That each was dropped once and the action ran once, however far it got.
#[track_caller]
fn assert_all_undone(log: &Log) {
    for line in [
        "hook runs",
        "drop hook",
        "drop owned",
        "drop timer",
        "drop vacant",
    ] {
        assert_eq!(log.count(line), 1, "{line}");
    }
}

struct Hungry;

impl<P: TestPlatform> Driver<P> for Hungry {
    type Device = (Log, Region, Note);
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(
        (log, region, _): &'drv Self::Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<(), Error> {
        register_all(scope, log, region)
    }
}

fn bind_survives_any_lack_of_memory<P: TestPlatform>() {
    let region = memory_region(16);
    for n in 1.. {
        let platform = Metered::<P>::fresh();
        let log = platform.log();
        platform.meter().refuse_from(n);
        let device = (log.clone(), region.clone(), log.note("device"));
        let bound =
            platform.lend_sleep(|cx| Binding::<Hungry, _>::bind(platform.clone(), device, cx));
        match bound {
            Ok(binding) => {
                drop(binding);
                assert_all_undone(&log);
                // The storage and each of the registrations, at least.
                assert!(n > 6, "{n}");
                return;
            }
            Err(failed) => {
                assert_eq!(failed.error, Error::NoMemory);
                // The device is back, alive.
                assert_eq!(log.count("drop device"), 0);
                drop(failed.device);
                assert_eq!(log.count("drop device"), 1);
                if n > 1 {
                    assert_all_undone(&log);
                }
            }
        }
        platform.assert_at_rest();
    }
}

fn enter_survives_any_lack_of_memory<P: TestPlatform>() {
    let region = memory_region(16);
    for n in 1.. {
        let platform = Metered::<P>::fresh();
        let log = platform.log();
        platform.meter().refuse_from(n);
        let result = platform.lend_sleep(|cx| {
            enter(platform.clone(), cx, &log, |log, scope| {
                register_all(scope, log, &region)
            })
        });
        assert_all_undone(&log);
        platform.assert_at_rest();
        if result.is_ok() {
            return assert!(n > 5, "{n}");
        }
        assert_eq!(result, Err(Error::NoMemory));
    }
}

/// Where there is no room for a whole chunk, but for what is needed.
fn a_little_memory_is_enough<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    run_on(&platform, |scope| {
        platform.meter().refuse_above(512);
        for _ in 0..10 {
            scope.own(log.note("small"))?;
        }
        assert_eq!(scope.alloc([0_u8; 1000]).err(), Some(Error::NoMemory));
        scope.hrtimer(|_| Restart::No)?.start(0.nanos())
    });
    assert_eq!(log.count("drop small"), 10);
}

fn what_could_not_be_kept_is_dropped<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let region = memory_region(16);
    run_on(&platform, |scope| {
        let (timer, vacant) = scope.vacant_hrtimer()?;
        let hook = Large::new(&log, "hook");
        platform.meter().refuse_from(1);
        // Fill what is left of the chunk.
        while scope.alloc(0_u64).is_ok() {}

        assert_eq!(scope.own(log.note("owned")).err(), Some(Error::NoMemory));
        assert_eq!(log.count("drop owned"), 1);

        let note = log.note("timer");
        let refused = scope.hrtimer(move |_| {
            let _all_of_it = &note;
            Restart::No
        });
        assert_eq!(refused.err(), Some(Error::NoMemory));
        assert_eq!(log.count("drop timer"), 1);
        assert_eq!(scope.vacant_hrtimer().err(), Some(Error::NoMemory));

        let note = log.note("vacant");
        let refused = vacant.set(scope, move |_| {
            let _all_of_it = &note;
            Restart::No
        });
        assert_eq!(refused.err(), Some(Error::NoMemory));
        assert_eq!(log.count("drop vacant"), 1);
        assert_eq!(timer.start(0.nanos()), Err(Error::Vacant));

        assert_eq!(scope.map::<Regs>(&region).err(), Some(Error::NoMemory));

        // What it would have undone is undone at once.
        let refused = scope.on_remove(move |_| hook.1.log().add("hook runs"));
        assert_eq!(refused.err(), Some(Error::NoMemory));
        assert_eq!(log.count("hook runs"), 1);
        assert_eq!(log.count("drop hook"), 1);

        // There is memory again: all of it can be had.
        platform.meter().refuse_from(0);
        scope.own(log.note("owned"))?;
        scope.map::<Regs>(&region)?;
        scope.on_remove(|_| ())
    });
    assert_eq!(log.count("hook runs"), 1);
    assert_eq!(log.count("drop owned"), 2);
}

fn a_region_is_mapped_once_at_a_time<P: TestPlatform>() {
    let region = memory_region(16);
    let platform = Metered::<P>::fresh();
    for _ in 0..2 {
        run_on(&platform, |scope| {
            let first: Mmio<'_, Regs, _> = scope.map(&region)?;
            let again = scope.map::<Regs>(&region.clone());
            assert_eq!(again.err(), Some(Error::AlreadyMapped));
            // Nor by another scope.
            let elsewhere = enter(
                platform.clone(),
                scope.may_sleep(),
                &region,
                |region, scope| scope.map::<Regs>(region).err(),
            );
            assert_eq!(elsewhere, Some(Error::AlreadyMapped));
            // The refusals have not undone the first.
            first.write(LAST, 7);
            assert_eq!(first.read(LAST), 7);
            Ok(())
        });
    }
}

fn a_region_must_be_large_enough<P: TestPlatform>() {
    enum Larger {}
    impl Registers for Larger {
        const SIZE: usize = 17;
    }
    let region = memory_region(16);
    run_on(&Metered::<P>::fresh(), |scope| {
        let too_small = Error::RegionTooSmall {
            needed: 17,
            size: 16,
        };
        assert_eq!(scope.map::<Larger>(&region).err(), Some(too_small));
        // It is not mapped by that.
        scope.map::<Regs>(&region).map(drop)
    });
}

fn an_access_must_be_aligned_and_inside<P: TestPlatform>() {
    // Larger than its block: what lies behind is not the block's.
    let region = memory_region(32);
    run_on(&Metered::<P>::fresh(), |scope| {
        let (bytes, _) = scope.map::<[u8]>(&region)?.split_at(16)?;
        let regs = bytes.block::<Regs>()?;
        let outside = |offset, width| Error::OutOfBounds {
            offset,
            width,
            size: 16,
        };
        let misaligned = |offset, width| Error::Misaligned { offset, width };
        assert_eq!(bytes.try_read::<u8>(15), Ok(0));
        assert_eq!(bytes.try_read::<u8>(16), Err(outside(16, 1)));
        assert_eq!(bytes.try_read::<u32>(16), Err(outside(16, 4)));
        assert_eq!(bytes.try_read::<u64>(16), Err(outside(16, 8)));
        assert_eq!(
            bytes.try_read::<u8>(usize::MAX),
            Err(outside(usize::MAX, 1))
        );
        assert_eq!(bytes.try_read::<u16>(1), Err(misaligned(1, 2)));
        assert_eq!(bytes.try_read::<u32>(14), Err(misaligned(14, 4)));
        assert_eq!(bytes.try_read::<u64>(12), Err(misaligned(12, 8)));
        assert_eq!(bytes.try_write(16, 1_u32), Err(outside(16, 4)));
        assert_eq!(bytes.try_write(2, 1_u32), Err(misaligned(2, 4)));

        regs.write(LAST, 0x0807_0605_0403_0201);
        assert_eq!(regs.read(LAST), 0x0807_0605_0403_0201);
        assert_eq!(bytes.try_read::<u8>(9), Ok(2));
        assert_eq!(bytes.try_read::<u16>(10), Ok(0x0403));
        assert_eq!(bytes.try_write(12, 0xffff_ffff_u32), Ok(()));
        assert_eq!(regs.read(LAST), 0xffff_ffff_0403_0201);
        Ok(())
    });
}

fn a_device_has_the_bars_it_was_given<P: TestPlatform>() {
    let device = PciDevice::<P>::new(0x1234, 0x11e8)
        .with_bar(2, memory_region(16))
        .unwrap();
    assert_eq!((device.vendor(), device.device()), (0x1234, 0x11e8));
    assert!(device.bar(2).is_ok());
    for bar in [0, 5, 6, 255] {
        assert_eq!(device.bar(bar).err(), Some(Error::NoSuchBar(bar)));
    }
    let refused = device.with_bar(6, memory_region(16));
    assert_eq!(refused.err(), Some(Error::NoSuchBar(6)));
}

fn large_values_fit<P: TestPlatform>() {
    run_on(&Metered::<P>::fresh(), |scope| {
        let owned = scope.own([3_u8; 50_000])?;
        let allocated = scope.alloc([5_u32; 20_000])?;
        let small = scope.alloc(7_u8)?;
        let captured = [9_u8; 30_000];
        let seen = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |_| {
            seen.store(captured.iter().map(|&b| u32::from(b)).sum(), SeqCst);
            Restart::No
        })?;
        timer.start(0.nanos())?;
        until(scope, || seen.load(SeqCst) == 9 * 30_000);
        assert!(owned.iter().all(|&b| b == 3));
        assert!(allocated.iter().all(|&w| w == 5));
        assert_eq!(*small, 7);
        Ok(())
    });
}

fn aligned_values_are<P: TestPlatform>() {
    #[repr(align(64))]
    struct Line(u8);
    #[repr(align(4096))]
    struct Page(u8);
    #[track_caller]
    fn aligned<T>(value: &T) {
        let address = core::ptr::from_ref(value).addr();
        assert_eq!(address % mem::align_of::<T>(), 0);
    }
    run_on(&Metered::<P>::fresh(), |scope| {
        for i in 0..5 {
            let byte = scope.alloc(i)?;
            let line = scope.own(Line(i))?;
            let page = scope.alloc(Page(i))?;
            let other = scope.own(Page(i))?;
            let line_too = Line(i);
            let seen = scope.own(AtomicU32::new(0))?;
            let timer = scope.hrtimer(move |_| {
                aligned(&line_too);
                seen.fetch_add(1 + u32::from(line_too.0), SeqCst);
                Restart::No
            })?;
            timer.start(0.nanos())?;
            aligned(line);
            aligned(page);
            aligned(other);
            assert_eq!([*byte, line.0, page.0, other.0], [i; 4]);
            until(scope, || seen.load(SeqCst) == 1 + u32::from(i));
        }
        Ok(())
    });
}

fn values_of_no_size_are_dropped_too<P: TestPlatform>() {
    // By the thread that tears down: this test's own.
    thread_local!(static DROPPED: Cell<u32> = const { Cell::new(0) });
    struct Nothing;
    impl Drop for Nothing {
        fn drop(&mut self) {
            DROPPED.set(DROPPED.get() + 1);
        }
    }
    run_on(&Metered::<P>::fresh(), |scope| {
        let nothing = scope.own(Nothing)?;
        let _: &Nothing = nothing;
        let unit = scope.alloc(())?;
        let array = scope.alloc([0_u64; 0])?;
        assert_eq!((*unit, array.len()), ((), 0));
        assert_eq!(core::ptr::from_ref(array).addr() % 8, 0);
        scope.on_remove(|_| ())?;
        scope.hrtimer(|_| Restart::No)?.start(0.nanos())
    });
    assert_eq!(DROPPED.get(), 1);
}

fn allocated_values_may_borrow_and_change<P: TestPlatform>() {
    struct Chain<'a> {
        value: AtomicU32,
        next: Option<&'a Chain<'a>>,
    }
    run_on(&Metered::<P>::fresh(), |scope| {
        let last = scope.alloc(Chain {
            value: AtomicU32::new(0),
            next: None,
        })?;
        let first = scope.alloc(Chain {
            value: AtomicU32::new(0),
            next: Some(last),
        })?;
        let timer = scope.hrtimer(move |_| {
            first.value.fetch_add(1, SeqCst);
            if let Some(next) = first.next {
                next.value.fetch_add(2, SeqCst);
            }
            Restart::No
        })?;
        timer.start(0.nanos())?;
        until(scope, || last.value.load(SeqCst) == 2);
        assert_eq!(first.value.load(SeqCst), 1);
        Ok(())
    });
}

/// Nothing but the platform's own value is moved when there is no memory for a binding at all.
#[test]
fn a_platform_with_no_memory_is_given_up() {
    let platform = Metered::<Sim>::fresh();
    platform.meter().refuse_from(1);
    let log = platform.log();
    let device = (log.clone(), memory_region(16), log.note("device"));
    let failed = platform
        .lend_sleep(|cx| Binding::<Hungry, _>::bind(platform.clone(), device, cx))
        .expect_err("no memory");
    assert_eq!(failed.error, Error::NoMemory);
    assert_eq!(log.lines(), [""; 0]);
}

/// Safe to call, so it must be sound, although the crate never asks.
#[test]
fn no_memory_is_no_memory() {
    use std::alloc::Layout;

    use driver_scope::platform::Host;
    use driver_scope::Platform;

    assert_eq!(Sim::new().allocate(Layout::new::<()>()), None);
    assert_eq!(Host::new().unwrap().allocate(Layout::new::<()>()), None);
}
