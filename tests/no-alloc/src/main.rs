//! driver-scope where there is nothing: no `std`, no `alloc`, no C library, no threads, one fixed buffer for memory.
//!
//! Also the smallest example of a platform: see `platform.rs`. Exits with 0 if all went well.
#![no_std]
#![no_main]

mod driver;
mod platform;
mod sys;

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;

use driver_scope::mmio::Item;
use driver_scope::platform::FixedMemory;
use driver_scope::{
    enter, Binding, Error, Instant, Platform, ReadSection, Revocable, TryCancel, Units,
};

use driver::{Counter, COUNT, STOPPED};
use platform::{RamRegion, Tiny};

static MEMORY: FixedMemory<4096> = FixedMemory::new();
static LITTLE: FixedMemory<768> = FixedMemory::new();
static REGISTERS: RamRegion = RamRegion::new();

/// What the program is; called by `sys`.
fn run() {
    let tiny = Tiny::new(&MEMORY);
    a_driver_is_bound_runs_and_is_removed(&tiny);
    a_scope_on_the_stack(&tiny);
    a_binding_dropped_in_a_callback_is_removed_later(&tiny);
    what_outlives_a_driver_is_refused(&tiny);
    no_memory_is_an_error();
    sys::print("no-alloc: ok\n");
}

fn bind<const N: usize>(tiny: &Tiny<N>) -> Binding<Counter, Tiny<N>> {
    let bound = tiny.may_sleep(|cx| Binding::bind(tiny.clone(), &REGISTERS, cx));
    bound.map_err(|failed| failed.error).expect("it binds")
}

fn a_driver_is_bound_runs_and_is_removed(tiny: &Tiny<4096>) {
    for _ in 0..100 {
        let binding = bind(tiny);
        assert!(MEMORY.used() > 0);
        tiny.advance(10.millis());
        binding.with(|data| {
            assert_eq!(data.regs.read(COUNT), 10);
            assert!(data.tick.is_active());
            assert_eq!(data.tick.remaining(), Some(1.millis()));
        });
        let device = tiny
            .may_sleep(|cx| binding.unbind(cx))
            .expect("no callback");
        // The hook ran, the timer runs no more, and all memory is back.
        assert_eq!((device.peek(STOPPED::OFFSET), MEMORY.used()), (1, 0));
        tiny.advance(10.millis());
        assert_eq!(device.peek(COUNT::OFFSET), 10);
    }
}

fn a_scope_on_the_stack(tiny: &Tiny<4096>) {
    let fired = AtomicU32::new(0);
    let result = tiny.may_sleep(|cx| {
        enter(tiny.clone(), cx, &fired, |fired, scope| {
            let (ping, vacant) = scope.vacant_hrtimer()?;
            let pong = scope.hrtimer(move |t| {
                fired.fetch_add(1, Relaxed);
                let _ = ping.start(1.millis());
                t.restart_after(Duration::MAX)
            })?;
            vacant.set(scope, move |t| {
                let _ = pong.start_at(Instant::ZERO);
                t.restart_after(5.millis())
            })?;
            ping.start(0.nanos())?;
            scope.sleep(10.millis());
            assert_eq!(pong.cancel(scope.may_sleep()), Ok(false));
            assert_eq!(ping.try_cancel(), TryCancel::Cancelled);
            assert_eq!(scope.map::<driver::Regs>(&&REGISTERS).err(), None);
            let again = scope.map::<driver::Regs>(&&REGISTERS);
            assert_eq!(again.err(), Some(Error::AlreadyMapped));
            Ok::<(), Error>(())
        })
    });
    assert_eq!(result, Ok(()));
    assert_eq!(fired.load(Relaxed), 11);
    assert_eq!(MEMORY.used(), 0);
}

fn a_binding_dropped_in_a_callback_is_removed_later(tiny: &Tiny<4096>) {
    let binding = bind(tiny);
    let result = tiny.may_sleep(|cx| {
        enter(tiny.clone(), cx, &(), |(), scope| {
            let mut binding = Some(binding);
            let timer = scope.hrtimer(move |t| {
                drop(binding.take());
                // Not now.
                assert_eq!(REGISTERS.peek(STOPPED::OFFSET), 0);
                t.restart_after(1.secs())
            })?;
            timer.start(0.nanos())?;
            scope.sleep(1.millis());
            assert_eq!(REGISTERS.peek(STOPPED::OFFSET), 1);
            Ok::<(), Error>(())
        })
    });
    assert_eq!(result, Ok(()));
    assert_eq!(MEMORY.used(), 0);
}

fn what_outlives_a_driver_is_refused(tiny: &Tiny<4096>) {
    let binding = bind(tiny);
    let port = binding.port().expect("there is memory");
    let regs = binding.with(|data| data.shared.devres());
    tiny.advance(3.millis());
    assert_eq!(port.call(|data| data.regs.read(COUNT)), Ok(3));
    assert_eq!(regs.try_access_with(|regs| regs.read(COUNT)), Some(3));
    drop(tiny.may_sleep(|cx| binding.unbind(cx)));
    assert_eq!(port.call(|data| data.regs.read(COUNT)), Err(Error::Gone));
    assert!(regs.try_access().is_none());
    // What the handles share, and nothing else.
    assert!(MEMORY.used() > 0);
    drop((port, regs));
    assert_eq!(MEMORY.used(), 0);

    let number = Revocable::new(tiny.clone(), 7);
    let section = ReadSection::enter(tiny);
    assert_eq!(number.try_access_with_guard(&section), Some(&7));
    drop(section);
    assert_eq!(number.try_access().as_deref(), Some(&7));
    assert_eq!(tiny.may_sleep(|cx| number.revoke(cx)), Ok(true));
    assert!(number.try_access().is_none());
}

fn no_memory_is_an_error() {
    let tiny = Tiny::new(&LITTLE);
    let bound = tiny.may_sleep(|cx| Binding::<Counter, _>::bind(tiny.clone(), &REGISTERS, cx));
    let failed = bound.expect_err("768 bytes are too few");
    assert_eq!(failed.error, Error::NoMemory);
    // The device is back, unmapped, and so is what memory there was.
    assert_eq!(LITTLE.used(), 0);
    let roomy = Tiny::new(&MEMORY);
    drop(bind(&roomy));
    assert_eq!(MEMORY.used(), 0);
    assert!(roomy.now() > Instant::ZERO);
}
