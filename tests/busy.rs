//! Where a teardown may not wait, it does not: inside callbacks. (And registering goes on while a driver is bound.)
//!
//! Seen to fail or hang: without the look at where a drop and an unbind are, without the search for the own context in a cancel, with
//! the block's own platform value used for `defer`.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

use common::{
    on_purpose, quiet, rounds, until, wait_until, Log, Metered, Note, Smuggled, TestPlatform,
};
use driver_scope::platform::{Host, Sim};
use driver_scope::{
    enter, Binding, Busy, Driver, DriverScope, Error, HrTimer, Once, Platform, Restart, Revocable,
    Units,
};

mod common;

#[path = "busy/deferred.rs"]
mod deferred;
#[path = "busy/growing.rs"]
mod growing;

on_every_platform!(
    an_unbind_in_a_callback_gives_the_binding_back,
    a_binding_may_be_dropped_in_its_own_callback,
    a_binding_may_be_dropped_in_a_callback_of_another,
    a_binding_dropped_in_a_callback_takes_no_platform_with_it_too_early,
    a_device_may_panic_when_it_is_dropped_later,
    two_bindings_may_drop_each_other_in_callbacks,
    cancel_in_the_own_callback_is_a_deadlock,
);

type Bound<P> = Binding<Patient, P>;

/// A binding where callbacks can get at it.
struct Shelf<P: TestPlatform>(Mutex<Option<Bound<P>>>);

impl<P: TestPlatform> Shelf<P> {
    fn new() -> Arc<Self> {
        Arc::new(Shelf(Mutex::new(None)))
    }

    fn put(&self, binding: Bound<P>) {
        *self.0.lock().unwrap() = Some(binding);
    }

    fn take(&self) -> Option<Bound<P>> {
        self.0.lock().unwrap().take()
    }
}

/// A driver with one timer, not started, whose callback is its device's.
struct Patient;

struct Device {
    log: Log,
    callback: Box<dyn Fn() -> bool + Send + Sync>,
    #[allow(dead_code)] // For its drop.
    note: Note,
}

impl Device {
    /// `callback` is called by the timer until it returns true.
    fn new(log: &Log, callback: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Device {
            log: log.clone(),
            callback: Box::new(callback),
            note: log.note("device"),
        }
    }

    fn idle(log: &Log) -> Self {
        Device::new(log, || true)
    }
}

impl<P: TestPlatform> Driver<P> for Patient {
    type Device = Device;
    type Data<'drv> = HrTimer<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<HrTimer<'drv, P>, Error> {
        let note = device.log.note("captured");
        scope.own(device.log.note("owned"))?;
        scope.hrtimer(move |t| {
            let done = (device.callback)();
            // Still there, whatever the callback did.
            note.log().add("tick");
            device.log.add("tock");
            if done {
                Restart::No
            } else {
                t.restart_after(100.micros())
            }
        })
    }
}

fn bind<P: TestPlatform>(platform: &P, device: Device) -> Bound<P> {
    platform
        .lend_sleep(|cx| Binding::bind(platform.clone(), device, cx))
        .map_err(|failed| failed.error)
        .expect("it binds")
}

/// Lets time pass until nothing is left.
fn until_gone<P: TestPlatform>(platform: &Metered<P>) {
    wait_until(|| {
        platform.lend_sleep(|cx| platform.sleep(cx, 100.micros()));
        platform.meter().live() == 0
    });
    // The device goes last, after the memory.
    wait_until(|| platform.log().count("drop device") == 1);
    platform.assert_at_rest();
}

fn an_unbind_in_a_callback_gives_the_binding_back<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let shelf = Shelf::new();
    shelf.put(bind(&platform, Device::idle(&platform.log())));
    platform.lend_sleep(|cx| {
        let env = (Smuggled::new(cx), &shelf);
        enter(platform.clone(), cx, &env, |(cx, shelf), scope| {
            let seen = scope.own(AtomicBool::new(false))?;
            let timer = scope.hrtimer(move |_| {
                let binding = shelf.take().unwrap();
                let Err(Busy(binding)) = binding.unbind(cx.get()) else {
                    panic!("unbound in a callback");
                };
                shelf.put(binding);
                seen.store(true, SeqCst);
                Restart::No
            })?;
            timer.start(0.nanos())?;
            until(scope, || seen.load(SeqCst));
            Ok::<(), Error>(())
        })
        .unwrap();
        let binding = shelf.take().unwrap();
        // It is whole, and can be unbound here.
        binding.with(|timer| timer.start(3600.secs())).unwrap();
        assert!(binding.unbind(cx).is_ok());
    });
    platform.assert_at_rest();
}

fn a_binding_may_be_dropped_in_its_own_callback<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let shelf = Shelf::new();
    let device = Device::new(&log, {
        let shelf = Arc::clone(&shelf);
        move || shelf.take().is_some()
    });
    let binding = bind(&platform, device);
    binding.with(|timer| timer.start(0.nanos())).unwrap();
    shelf.put(binding);
    until_gone(&platform);
    assert!(shelf.take().is_none());
    let lines = log.lines();
    let at = |what: &str| lines.iter().rposition(|line| line == what).unwrap();
    // The callback that dropped it was waited for.
    assert!(at("tock") < at("drop captured"));
    assert!(at("drop captured") < at("drop owned"));
    assert!(at("drop owned") < at("drop device"));
}

/// Drops the binding in a callback of a scope that has nothing to do with it.
fn drop_in_a_callback_of_another<P: TestPlatform>(platform: &P, binding: Bound<P>) {
    let shelf = Shelf::new();
    shelf.put(binding);
    platform
        .lend_sleep(|cx| {
            enter(platform.clone(), cx, &shelf, |shelf, scope| {
                let seen = scope.own(AtomicBool::new(false))?;
                let timer = scope.hrtimer(move |_| {
                    drop(shelf.take().unwrap());
                    seen.store(true, SeqCst);
                    Restart::No
                })?;
                timer.start(0.nanos())?;
                until(scope, || seen.load(SeqCst));
                Ok::<(), Error>(())
            })
        })
        .unwrap();
}

fn a_binding_may_be_dropped_in_a_callback_of_another<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let binding = bind(&platform, Device::idle(&platform.log()));
    binding.with(|timer| timer.start(3600.secs())).unwrap();
    drop_in_a_callback_of_another(&platform, binding);
    until_gone(&platform);
    assert_eq!(platform.log().count("drop captured"), 1);
}

fn a_binding_dropped_in_a_callback_takes_no_platform_with_it_too_early<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.meter().defer_at_once.store(true, SeqCst);
    let binding = bind(&platform, Device::idle(&platform.log()));
    drop_in_a_callback_of_another(&platform, binding);
    until_gone(&platform);
}

fn a_device_may_panic_when_it_is_dropped_later<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let mut device = Device::idle(&platform.log());
    device.callback = {
        let mine = platform.log().mine("callback");
        Box::new(move || {
            let _all_of_it = &mine;
            true
        })
    };
    drop_in_a_callback_of_another(&platform, bind(&platform, device));
    until_gone(&platform);
    assert_eq!(platform.log().count("drop callback"), 1);
}

fn two_bindings_may_drop_each_other_in_callbacks<P: TestPlatform>() {
    let platforms = [Metered::<P>::fresh(), Metered::<P>::fresh()];
    let shelves = [Shelf::new(), Shelf::new()];
    let inside = Arc::new(AtomicU32::new(0));
    let bindings = [0, 1].map(|own| {
        let (other, inside) = (Arc::clone(&shelves[1 - own]), Arc::clone(&inside));
        let device = Device::new(&platforms[own].log(), move || {
            inside.fetch_add(1, SeqCst);
            // Both are in their callbacks.
            wait_until(|| inside.load(SeqCst) == 2);
            drop(other.take().unwrap());
            true
        });
        bind(&platforms[own], device)
    });
    for (shelf, binding) in shelves.iter().zip(bindings) {
        shelf.put(binding);
    }
    for shelf in &shelves {
        let shelf = shelf.0.lock().unwrap();
        let binding = shelf.as_ref().unwrap();
        binding.with(|timer| timer.start(1.millis())).unwrap();
    }
    platforms[0].meanwhile(|| {
        platforms[1].meanwhile(|| {
            for platform in &platforms {
                wait_until(|| platform.meter().live() == 0);
                wait_until(|| platform.log().count("drop device") == 1);
                platform.assert_at_rest();
                assert_eq!(platform.log().count("drop captured"), 1);
            }
        });
    });
}

fn cancel_in_the_own_callback_is_a_deadlock<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.lend_sleep(|cx| {
        enter(platform.clone(), cx, &Smuggled::new(cx), |cx, scope| {
            let seen = scope.own(Once::new())?;
            let fired = scope.own(AtomicU32::new(0))?;
            let other = scope.hrtimer(|_| Restart::No)?;
            other.start(3600.secs())?;
            let (timer, vacant) = scope.vacant_hrtimer()?;
            vacant.set(scope, move |t| {
                // Only the own one is a deadlock.
                let _ = seen.set((timer.cancel(cx.get()), other.cancel(cx.get())));
                if fired.fetch_add(1, SeqCst) == 2 {
                    Restart::No
                } else {
                    t.restart_after(0.nanos())
                }
            })?;
            timer.start(0.nanos())?;
            // It goes on as if nothing had been.
            until(scope, || fired.load(SeqCst) == 3 && !timer.is_active());
            assert_eq!(*seen.get().unwrap(), (Err(Error::Deadlock), Ok(true)));
            assert_eq!(timer.cancel(scope.may_sleep()), Ok(false));
            Ok::<(), Error>(())
        })
        .unwrap();
    });
    platform.assert_at_rest();
}

/// Has `f` called in a callback of a scope of its own, where it should panic.
fn panics_in_a_callback<P: TestPlatform>(platform: P, f: impl Fn(&P) + Send + Sync) {
    quiet();
    let platform = Metered::around(platform);
    platform
        .lend_sleep(|cx| {
            enter(platform.clone(), cx, &f, |f, scope| {
                let seen = scope.own(Once::new())?;
                let inner = scope.platform().inner();
                let timer = scope.hrtimer(move |_| {
                    let _ = seen.set(catch_unwind(AssertUnwindSafe(|| f(inner))).is_err());
                    Restart::No
                })?;
                timer.start(0.nanos())?;
                until(scope, || seen.get().is_some());
                assert_eq!(seen.get(), Some(&true));
                Ok::<(), Error>(())
            })
        })
        .unwrap();
}

#[test]
fn no_sleep_is_lent_in_a_callback() {
    panics_in_a_callback(Host::fresh(), |host| host.may_sleep(|_| ()));
    panics_in_a_callback(Sim::fresh(), |sim| sim.may_sleep(|_| ()));
    // Nor by a platform that has nothing to do with the callback's.
    let other = Sim::new();
    panics_in_a_callback(Host::fresh(), move |_| other.may_sleep(|_| ()));
}

#[test]
fn time_does_not_pass_in_a_callback() {
    panics_in_a_callback(Sim::fresh(), |sim| sim.advance(1.millis()));
}
