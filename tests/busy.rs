//! Where a teardown may not wait, it does not: inside callbacks. And registering goes on while a driver is bound.
//!
//! Seen to fail or hang: without the look at where a drop and an unbind are, without the search for the own context in a cancel, with
//! the block's own platform value used for `defer`.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

use common::{on_purpose, quiet, until, wait_until, Log, Metered, Note, Smuggled, TestPlatform};
use driver_scope::platform::{Host, Sim};
use driver_scope::{
    enter, Binding, Busy, Driver, DriverScope, Error, HrTimer, Once, Platform, Restart, Revocable,
    Units,
};

mod common;

on_every_platform!(
    an_unbind_in_a_callback_gives_the_binding_back,
    a_binding_may_be_dropped_in_its_own_callback,
    a_binding_may_be_dropped_in_a_callback_of_another,
    a_binding_dropped_in_a_callback_takes_no_platform_with_it_too_early,
    a_device_may_panic_when_it_is_dropped_later,
    two_bindings_may_drop_each_other_in_callbacks,
    cancel_in_the_own_callback_is_a_deadlock,
    a_driver_registers_more_while_it_is_bound,
    two_threads_register_at_once,
    a_removal_that_is_put_off_holds_up_no_wait,
);

#[test]
fn deferred_removals_of_sim_go_one_after_the_other() {
    let sim = Metered::around(Sim::new());
    one_after_the_other(&sim);
}

#[test]
fn deferred_removals_of_host_go_one_after_the_other() {
    one_after_the_other(&Metered::around(Host::new().unwrap()));
}

/// While one waits for a reader, a callback drops a binding. Its removal waits for a call that lasts longer than that wait.
fn a_removal_that_is_put_off_holds_up_no_wait<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let shelf = Shelf::new();
    let binding = bind(&platform, Device::idle(&platform.log()));
    let port = binding.port().unwrap();
    shelf.put(binding);
    let value = Revocable::new(platform.clone(), 7);
    let [inside, dropped, waited] = [(); 3].map(|()| AtomicBool::new(false));
    thread::scope(|threads| {
        threads.spawn(|| {
            port.call(|_| {
                let guard = value.try_access().unwrap();
                inside.store(true, SeqCst);
                wait_until(|| dropped.load(SeqCst));
                // Long enough for the removal to begin.
                thread::sleep(20.millis());
                drop(guard);
                wait_until(|| waited.load(SeqCst));
            })
            .unwrap();
        });
        wait_until(|| inside.load(SeqCst));
        platform.lend_sleep(|cx| {
            let env = (&shelf, &dropped);
            enter(platform.clone(), cx, &env, |(shelf, dropped), scope| {
                let timer = scope.hrtimer(move |_| {
                    drop(shelf.take());
                    dropped.store(true, SeqCst);
                    Restart::No
                })?;
                timer.start(20.micros())?;
                assert_eq!(value.revoke(cx), Ok(true));
                waited.store(true, SeqCst);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
    drop((port, value));
    until_gone(&platform);
}

/// Three bindings dropped in one callback, while somebody is inside each of them.
fn one_after_the_other<P: TestPlatform>(platform: &Metered<P>) {
    const BINDINGS: usize = 3;
    let bound = || bind(platform, Device::idle(&Log::default()));
    let bindings: Vec<_> = (0..BINDINGS).map(|_| bound()).collect();
    let ports: Vec<_> = bindings.iter().map(|b| b.port().unwrap()).collect();
    let log = platform.log();
    let inside = AtomicU32::new(0);
    let removed = AtomicBool::new(false);
    thread::scope(|threads| {
        for port in &ports {
            threads.spawn(|| {
                port.call(|_| {
                    inside.fetch_add(1, SeqCst);
                    wait_until(|| removed.load(SeqCst));
                    // Long enough for the others to begin, if they do.
                    thread::sleep(20.millis());
                })
                .unwrap();
            });
        }
        wait_until(|| inside.load(SeqCst) as usize == BINDINGS);
        let shelf = Mutex::new(Some(bindings));
        platform.lend_sleep(|cx| {
            enter(
                platform.clone(),
                cx,
                &(&shelf, &removed),
                |(shelf, removed), scope| {
                    let timer = scope.hrtimer(move |_| {
                        drop(shelf.lock().unwrap().take());
                        removed.store(true, SeqCst);
                        Restart::No
                    })?;
                    timer.start(0.nanos())?;
                    until(scope, || removed.load(SeqCst));
                    Ok::<(), Error>(())
                },
            )
            .unwrap();
        });
    });
    let of_driver = |what: &str| {
        let lines = log.lines();
        lines
            .iter()
            .filter(|line| line.ends_with(what) && line.contains("Patient"))
            .count()
    };
    wait_until(|| {
        platform.lend_sleep(|cx| platform.sleep(cx, 100.micros()));
        of_driver(": done") == BINDINGS
    });
    let lines = log.lines();
    let steps: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("Patient"))
        .filter_map(|line| {
            [": gate", ": done"]
                .into_iter()
                .find(|step| line.ends_with(step))
        })
        .collect();
    assert_eq!(steps, [": gate", ": done"].repeat(BINDINGS));
}

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

fn a_driver_registers_more_while_it_is_bound<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let binding = bind(&platform, Device::idle(&log));
    platform.lend_sleep(|cx| {
        binding.with_scope(cx, |timer, scope| {
            let timer = *timer;
            let note = log.note("later");
            scope.own(log.note("owned later")).unwrap();
            scope
                .hrtimer(move |_| {
                    note.log().add("later ticks");
                    timer.start(0.nanos()).unwrap();
                    Restart::No
                })
                .unwrap()
                .start(0.nanos())
                .unwrap();
            until(scope, || log.count("tock") == 1);
        });
        assert_eq!(log.count("drop later"), 0);
        // A panic in it is the caller's, and ends nothing.
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            binding.with_scope(cx, |_, scope| {
                scope.own(log.note("owned last")).unwrap();
                on_purpose("with_scope")
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(log.count("drop owned last"), 0);
        assert!(binding.unbind(cx).is_ok());
    });
    platform.assert_at_rest();
    let dropped: Vec<_> = log
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("drop "))
        .collect();
    let expected = [
        "drop later",
        "drop captured",
        "drop owned last",
        "drop owned later",
        "drop owned",
        "drop device",
    ];
    assert_eq!(dropped, expected);
}

fn two_threads_register_at_once<P: TestPlatform>() {
    const EACH: usize = 100;
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let binding = bind(&platform, Device::idle(&log));
    platform.meanwhile(|| {
        thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    for _ in 0..EACH {
                        platform.lend_sleep(|cx| {
                            binding.with_scope(cx, |_, scope| {
                                let number = scope.alloc(7_u32).unwrap();
                                let owned = scope.own(log.note("own")).unwrap();
                                let note = log.note("timer");
                                let timer = scope
                                    .hrtimer(move |_| {
                                        assert_eq!(*number, 7);
                                        note.log().add("timer ticks");
                                        Restart::No
                                    })
                                    .unwrap();
                                timer.start(0.nanos()).unwrap();
                                scope.on_remove(move |_| owned.log().add("hook")).unwrap();
                            });
                        });
                    }
                });
            }
        });
        wait_until(|| log.count("timer ticks") == 2 * EACH);
    });
    drop(binding);
    platform.assert_at_rest();
    for line in ["hook", "drop timer", "drop own"] {
        assert_eq!(log.count(line), 2 * EACH, "{line}");
    }
}

/// Nobody lets time pass in the world of a binding that is dropped in a callback of another world; it is removed all the same.
#[test]
fn a_binding_of_another_sim_is_removed_although_its_time_stands_still() {
    let (here, there) = (Metered::<Sim>::fresh(), Metered::<Sim>::fresh());
    let log = there.log();
    let shelf = Mutex::new(Some(bind(&there, Device::idle(&log))));
    drop(there);
    here.lend_sleep(|cx| {
        enter(here.clone(), cx, &shelf, |shelf, scope| {
            let timer = scope.hrtimer(move |_| {
                drop(shelf.lock().unwrap().take());
                Restart::No
            })?;
            timer.start(0.nanos())?;
            until(scope, || shelf.lock().unwrap().is_none());
            Ok::<(), Error>(())
        })
    })
    .unwrap();
    wait_until(|| log.count("drop device") == 1);
}

/// The removal that a callback on one platform defers meets a running callback on another: it waits, and none comes after it.
///
/// Seen to fail when `shut` does not wait.
#[test]
fn a_removal_deferred_across_platforms_waits_for_a_running_callback() {
    for _ in 0..30 {
        let (here, there) = (Sim::fresh(), Metered::<Host>::fresh());
        let log = there.log();
        // Long enough to be in the callback, most likely, when the removal comes.
        let callback = || {
            thread::sleep(500.micros());
            false
        };
        let bound = bind(&there, Device::new(&log, callback));
        bound.with(|timer| timer.start(0.nanos())).unwrap();
        wait_until(|| log.count("tick") > 1);
        let shelf = Mutex::new(Some(bound));
        here.lend_sleep(|cx| {
            enter(here.clone(), cx, &shelf, |shelf, scope| {
                let timer = scope.hrtimer(move |_| {
                    drop(shelf.lock().unwrap().take());
                    Restart::No
                })?;
                timer.start(0.nanos())?;
                until(scope, || shelf.lock().unwrap().is_none());
                Ok::<(), Error>(())
            })
        })
        .unwrap();
        wait_until(|| log.count("drop device") == 1);
        // Time for a callback that was not waited for to go on.
        thread::sleep(1.millis());
        let lines = log.lines();
        let dropped = lines.iter().position(|line| line == "drop captured");
        let late = &lines[dropped.expect("the captured note is dropped")..];
        assert!(
            !late.iter().any(|line| line == "tick" || line == "tock"),
            "{late:?}"
        );
    }
}
