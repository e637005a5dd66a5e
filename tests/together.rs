//! All kinds of registrations at once, in drivers that do with each other's handles whatever safe code can: what is left of none of it is found by the canaries, by
//! the poison in memory that was given back, and best by an address sanitizer.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{leaked_on_purpose, on_purpose, quiet, wait_until, Metered, TestPlatform};
use driver_scope::platform::Host;
use driver_scope::{enter, Binding, Devres, Error, IrqReturn, Units};

mod common;
#[path = "together/machine.rs"]
mod machine;
#[allow(dead_code)] // Some of it is used here.
#[path = "own_kind/pins.rs"]
mod pins;

use common::irqs::Line;
use machine::{Device, Fate, Handles, Kinds, Machine, Site, CALLBACKS};
use pins::Pins;

on_every_platform!(
    a_machine_ends_in_the_middle_of_it_all,
    work_without_a_rest_ends_with_its_machine,
    a_machine_may_be_dropped_in_each_of_its_callbacks,
    a_machine_may_be_dropped_in_each_callback_of_its_child,
    a_machine_may_be_dropped_at_each_end_of_another,
    a_machine_that_fails_leaves_nothing,
    whatever_panics_leaves_nothing,
    children_are_bound_in_work,
    a_leaked_machine_goes_on,
    readers_use_all_handles_to_the_end,
    scopes_are_entered_in_work,
);

type Bound<P> = Binding<Machine, Metered<P>>;
type Shelf<P> = Arc<Mutex<Option<Bound<P>>>>;

fn shelf<P: Kinds>() -> Shelf<P> {
    Arc::new(Mutex::new(None))
}

fn take<P: Kinds>(shelf: &Shelf<P>) -> Option<Bound<P>> {
    shelf.lock().unwrap().take()
}

/// Where a test takes place: a platform, a source, and hardware that does something all the time.
struct Place<P: Kinds> {
    platform: Metered<P>,
    pins: Pins,
    next_pin: AtomicU32,
    /// Shared with all devices.
    devices: Arc<()>,
}

impl<P: Kinds> Place<P> {
    fn new() -> Self {
        Self::on(Metered::fresh())
    }

    fn on(platform: Metered<P>) -> Self {
        Place {
            platform,
            pins: Pins::new(P::AS_CALLBACK),
            next_pin: AtomicU32::new(0),
            devices: Arc::default(),
        }
    }

    fn device(&self) -> Device<P> {
        let pin = self.next_pin.fetch_add(1, SeqCst);
        Device::new(&self.platform, &self.pins, pin, &self.devices)
    }

    /// A machine with two children, the second of which has one.
    fn family(&self) -> Device<P> {
        let second = self.device().with(self.device());
        self.device().with(self.device()).with(second)
    }

    /// Runs `f` while time passes and the hardware of these devices acts.
    fn live<R>(&self, devices: &[&Device<P>], f: impl FnOnce() -> R) -> R {
        /// Also when `f` panics.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, SeqCst);
            }
        }
        let hardware: Vec<_> = devices.iter().flat_map(|device| all(device)).collect();
        let stop = AtomicBool::new(false);
        thread::scope(|threads| {
            threads.spawn(|| {
                while !stop.load(SeqCst) {
                    for one in &hardware {
                        one.act();
                    }
                    thread::sleep(Duration::from_micros(30));
                }
                for one in &hardware {
                    assert!(!one.act(), "a device reaches memory");
                }
            });
            let _stop = Stop(&stop);
            self.platform.meanwhile(f)
        })
    }

    /// Waits until everything has been removed, and the devices are gone, which is last.
    fn until_gone(&self) {
        wait_until(|| Arc::strong_count(&self.devices) == 1);
        wait_until(|| self.platform.meter().live() == 0);
    }

    fn end(self) {
        self.platform.assert_at_rest();
        assert_eq!(self.pins.in_use(), 0);
        self.pins.stop();
    }
}

/// The hardware of a device and of all below.
fn all<P: Kinds>(device: &Device<P>) -> Vec<machine::Hardware<P>> {
    let children = device.children.lock().unwrap();
    let below = children.iter().flat_map(all);
    [device.hardware()].into_iter().chain(below).collect()
}

fn unbind<P: Kinds>(binding: Bound<P>) {
    let platform = binding.platform().clone();
    platform.lend_sleep(|cx| drop(binding.unbind(cx).expect("it may wait")));
}

/// Waits until a machine has done something.
fn until_run<P: Kinds>(binding: &Bound<P>, runs: u32) {
    wait_until(|| binding.with(|data| data.parts.runs.load(SeqCst)) >= runs);
}

fn a_machine_ends_in_the_middle_of_it_all<P: Kinds>() {
    ends_in_the_middle(Place::<P>::new());
}

fn ends_in_the_middle<P: Kinds>(place: Place<P>) {
    for round in 0..30 {
        let family = place.family();
        let hardware = place.device();
        place.live(&[&hardware], || {
            // (As hardware of the machine, too: the line of a device that has no driver is quiet.)
            let live = all(&family);
            let binding = family.bind().unwrap();
            until_run(&binding, round);
            for one in &live {
                one.act();
            }
            unbind(binding);
            for one in &live {
                assert!(!one.act());
            }
        });
        drop(hardware);
        place.until_gone();
    }
    place.end();
}

fn work_without_a_rest_ends_with_its_machine<P: Kinds>() {
    let place = Place::<P>::new();
    for round in 0..10 {
        let mut child = place.device();
        child.rest = Duration::ZERO;
        let mut device = place.device().with(child);
        device.rest = Duration::ZERO;
        let other = place.device();
        place.live(&[&other], || {
            let binding = device.bind().unwrap();
            until_run(&binding, round);
            unbind(binding);
        });
        drop(other);
        place.until_gone();
    }
    place.end();
}

/// Has a device drop what is on a shelf, the `n`th time that it is at a site.
fn dropper<P: Kinds>(device: Device<P>, site: Site, n: usize, shelf: &Shelf<P>) -> Device<P> {
    let (shelf, times) = (Arc::clone(shelf), AtomicUsize::new(0));
    device.at(move |_, at, cx| {
        if at != site || times.fetch_add(1, SeqCst) < n {
            return;
        }
        if let Some(binding) = take(&shelf) {
            match cx {
                // Refused in work, and dropped then.
                Some(cx) if n % 2 == 0 => drop(binding.unbind(cx)),
                _ => drop(binding),
            }
        }
    })
}

fn a_machine_may_be_dropped_in_each_of_its_callbacks<P: Kinds>() {
    dropped_in_callbacks(Place::<P>::new());
}

fn dropped_in_callbacks<P: Kinds>(place: Place<P>) {
    for site in CALLBACKS {
        for n in 0..4 {
            let shelf = shelf();
            let family = dropper(place.family(), site, n, &shelf);
            let hardware = family.hardware();
            place.live(&[], || {
                let mut held = shelf.lock().unwrap();
                *held = Some(family.bind().unwrap());
                drop(held);
                wait_until(|| {
                    hardware.act();
                    shelf.lock().unwrap().is_none()
                });
                place.until_gone();
            });
            assert!(!hardware.act());
        }
    }
    place.end();
}

fn a_machine_may_be_dropped_in_each_callback_of_its_child<P: Kinds>() {
    let place = Place::<P>::new();
    for site in CALLBACKS {
        for n in 0..3 {
            let shelf = shelf();
            let child = dropper(place.device(), site, n, &shelf);
            let device = place.device().with(place.device()).with(child);
            let hardware = all(&device);
            place.live(&[], || {
                let mut held = shelf.lock().unwrap();
                *held = Some(device.bind().unwrap());
                drop(held);
                wait_until(|| {
                    for one in &hardware {
                        one.act();
                    }
                    shelf.lock().unwrap().is_none()
                });
                place.until_gone();
            });
        }
    }
    place.end();
}

/// In a hook, a remove, a destructor; of the other itself, or of its child.
fn a_machine_may_be_dropped_at_each_end_of_another<P: Kinds>() {
    let place = Place::<P>::new();
    let sites = [
        Site::Hook,
        Site::Remove,
        Site::DropOfData,
        Site::DropOfCapture,
    ];
    for (n, site) in sites.into_iter().cycle().take(16).enumerate() {
        let shelf = shelf();
        let other = dropper(place.device(), site, 0, &shelf);
        let other = match n / sites.len() % 2 {
            0 => other,
            _ => place.device().with(other),
        };
        place.live(&[], || {
            let binding = place.family().bind().unwrap();
            until_run(&binding, 5);
            *shelf.lock().unwrap() = Some(binding);
            let other = other.bind().unwrap();
            until_run(&other, 5);
            if n / sites.len() < 2 {
                unbind(other);
                assert!(shelf.lock().unwrap().is_none());
            } else {
                // Both go where bindings go that are dropped in a callback.
                common::in_a_callback(&place.platform, || drop(other));
            }
            place.until_gone();
        });
    }
    place.end();
}

fn a_machine_that_fails_leaves_nothing<P: Kinds>() {
    quiet();
    let place = Place::<P>::new();
    for n in 0..12 {
        let fate = [Fate::Fail, Fate::Panic][n % 2];
        let mut failing = place.family();
        failing.fate = fate;
        let device = match n / 4 {
            0 => failing,
            1 => place.device().with(place.device()).with(failing),
            _ => place.family().with(place.device().with(failing)),
        };
        let hardware = all(&device);
        place.live(&[], || {
            match catch_unwind(AssertUnwindSafe(|| device.bind())) {
                Ok(result) => assert_eq!(result.err(), Some(Error::Platform(-5))),
                Err(_) => assert_eq!(fate, Fate::Panic),
            }
            for one in &hardware {
                assert!(!one.act());
            }
        });
        place.until_gone();
    }
    place.end();
}

fn whatever_panics_leaves_nothing<P: Kinds>() {
    quiet();
    let place = Place::<P>::new();
    place.platform.expect_panics();
    let ends = [
        Site::Hook,
        Site::Remove,
        Site::DropOfData,
        Site::DropOfCapture,
    ];
    for site in CALLBACKS.into_iter().chain(ends) {
        for who in 0..2 {
            let panicking = place.family().at(move |_, at, _| {
                if at == site {
                    on_purpose("wherever it is");
                }
            });
            let device = match who {
                0 => panicking,
                _ => place.device().with(panicking).with(place.device()),
            };
            let hardware = all(&device);
            place.live(&[], || {
                let binding = device.bind().unwrap();
                until_run(&binding, 10);
                unbind(binding);
                for one in &hardware {
                    assert!(!one.act());
                }
            });
            place.until_gone();
        }
    }
    place.end();
}

/// Work has the proof that it may sleep, so another driver's scope can be had in it: here to bind children, which nobody can unbind there.
fn children_are_bound_in_work<P: Kinds>() {
    let place = Place::<P>::new();
    place.live(&[], || {
        let parent = Arc::new(place.device().bind().unwrap());
        let devices = Mutex::new((0..5).map(|_| place.device()).collect::<Vec<_>>());
        let left = Arc::new(AtomicUsize::new(5));
        let nursery = {
            let (own, left) = (Mutex::new(Some(Arc::clone(&parent))), Arc::clone(&left));
            place.device().at(move |_, site, cx| {
                let (Site::Work, Some(cx)) = (site, cx) else {
                    return;
                };
                let Some(device) = devices.lock().unwrap().pop() else {
                    // Perhaps the last of it.
                    drop(own.lock().unwrap().take());
                    return;
                };
                let parent = own.lock().unwrap().clone().unwrap();
                parent.with_scope(cx, |_, scope| {
                    let child = scope.child::<Machine>(device).map_err(|f| f.error).unwrap();
                    assert_eq!(child.unbind(cx).err(), Some(Error::Deadlock));
                    assert!(child.call(|data| data.work.queue()).is_ok());
                });
                left.fetch_sub(1, SeqCst);
            })
        };
        let nursery = nursery.bind().unwrap();
        wait_until(|| left.load(SeqCst) == 0);
        drop(parent);
        unbind(nursery);
        place.until_gone();
    });
    place.end();
}

/// Callbacks of one machine then run beside each other, and timers move from queue to queue.
#[test]
fn a_machine_ends_on_several_timer_threads() {
    let place = || {
        let host: Host = Host::builder().timer_threads(3).build().unwrap();
        Place::on(Metered::around(host))
    };
    ends_in_the_middle(place());
    dropped_in_callbacks(place());
}

/// Readers of a `Devres` use handles until everything has been shut down: beside the teardown, too.
fn readers_use_all_handles_to_the_end<P: Kinds>() {
    let place = Place::<P>::new();
    for round in 0..20 {
        let device = place.device().with(place.device());
        let hardware = device.hardware();
        place.live(&[], || {
            let binding = device.bind().unwrap();
            let handles = place.platform.lend_sleep(|cx| {
                binding.with_scope(cx, |data, scope| {
                    let handles = scope.devres::<Handles<'static, P>>(data.handles());
                    Devres::clone(&handles.unwrap())
                })
            });
            let reads = AtomicU32::new(0);
            thread::scope(|threads| {
                let readers = [0, 1, 2].map(|who| {
                    let (handles, reads) = (&handles, &reads);
                    let (platform, hardware) = (&place.platform, &hardware);
                    threads.spawn(move || {
                        let read = || {
                            platform.lend_sleep(|cx| {
                                handles.try_access_with(|handles| handles.use_all(who, cx))
                            })
                        };
                        while read().is_some() {
                            hardware.act();
                            reads.fetch_add(1, SeqCst);
                        }
                    })
                });
                until_run(&binding, round);
                wait_until(|| {
                    reads.load(SeqCst) > round || readers.iter().any(|r| r.is_finished())
                });
                unbind(binding);
            });
        });
        drop(hardware);
        place.until_gone();
    }
    place.end();
}

/// Work may sleep, so it may enter a scope, which ends in it and waits there for callbacks of its own.
fn scopes_are_entered_in_work<P: Kinds>() {
    let place = Place::<P>::new();
    let rounds = Arc::new(AtomicU32::new(0));
    let own = Arc::clone(&rounds);
    let device = place.device().at(move |device, site, cx| {
        let Some(cx) = cx else { return };
        let inner = enter(device.platform.clone(), cx, device, |device, scope| {
            assert_eq!(scope.dma(device.dma(), 32).err(), Some(Error::DmaInUse));
            let runs = scope.own(AtomicU32::new(0))?;
            let work = scope.work(move |w| {
                runs.fetch_add(1, SeqCst);
                w.requeue()
            })?;
            scope.irq_threaded(
                &device.line,
                move |_| IrqReturn::WakeThread,
                move |_| {
                    runs.fetch_add(1, SeqCst);
                },
            )?;
            let timer = scope.hrtimer(move |t| {
                runs.fetch_add(1, SeqCst);
                let _ = work.queue();
                t.restart_after(5.micros())
            })?;
            timer.start(0.nanos())?;
            device.line.edge();
            let flushed = work.flush(cx);
            if matches!(site, Site::Work | Site::Thread) {
                assert_eq!(flushed, Err(Error::Deadlock));
            }
            scope.sleep(50.micros());
            Ok::<(), Error>(())
        });
        inner.unwrap();
        own.fetch_add(1, SeqCst);
    });
    let hardware = device.hardware();
    place.live(&[], || {
        let binding = device.bind().unwrap();
        wait_until(|| {
            hardware.act();
            rounds.load(SeqCst) > 20
        });
        unbind(binding);
    });
    drop(hardware);
    place.until_gone();
    place.end();
}

/// What was forgotten goes on, and nothing of it is freed.
fn a_leaked_machine_goes_on<P: Kinds>() {
    let place = Place::<P>::new();
    let family = place.family();
    let runs = Arc::new(AtomicU32::new(0));
    let family = {
        let runs = Arc::clone(&runs);
        family.at(move |_, _, _| {
            runs.fetch_add(1, SeqCst);
        })
    };
    let hardware = family.hardware();
    place.platform.meanwhile(|| {
        leaked_on_purpose(family.bind().unwrap());
        let before = runs.load(SeqCst);
        wait_until(|| {
            assert!(hardware.act());
            runs.load(SeqCst) > before + 100
        });
    });
    assert!(place.platform.meter().live() > 0);
    // (The threads of the source are leaked as well.)
}
