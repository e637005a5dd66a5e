//! Bindings that are dropped by what they own, or wait for: payloads, wakers, tracers.

use std::future::Future;
use std::mem;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll::Ready;
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use driver_scope::event::{Event, Phase};
use driver_scope::platform::Host;
use driver_scope::{
    enter, Binding, Devres, Driver, DriverScope, Error, Lock, Once, Plain, Platform, Restart,
    Sleep, Units,
};

use crate::common::{on_purpose, run, wait_until, Log, Metered, Note, TestPlatform};

/// What is done when this is dropped.
pub(super) struct AtDrop(Box<dyn Fn() + Send + Sync>);

impl Drop for AtDrop {
    fn drop(&mut self) {
        (self.0)();
    }
}

type Shelf<P> = Arc<Mutex<Option<Binding<Holder, P>>>>;

fn take<P: Platform>(shelf: &Shelf<P>) -> Option<Binding<Holder, P>> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Has a resource, a sleep and a running timer.
pub(super) struct Holder;

pub(super) struct Device {
    payload: Mutex<Option<AtDrop>>,
    sleep: Duration,
    note: Note,
}

impl Device {
    fn new(log: &Log, at_drop: impl Fn() + Send + Sync + 'static) -> Self {
        Device {
            payload: Mutex::new(Some(AtDrop(Box::new(at_drop)))),
            sleep: 1_000.secs(),
            note: log.note("device"),
        }
    }
}

pub(super) struct Data<'drv, P: Platform> {
    payload: Mutex<Option<Devres<Plain<AtDrop>, P>>>,
    sleep: Mutex<Pin<Box<Sleep<'drv, P>>>>,
    _note: Note,
}

impl<P: Platform> Driver<P> for Holder {
    type Device = Device;
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Data<'drv, P>, Error> {
        let log = device.note.log();
        let captured = log.note("captured");
        scope.own(log.note("owned"))?;
        let timer = scope.hrtimer(move |t| {
            let _captured = &captured;
            t.restart_after(50.micros())
        })?;
        timer.start(50.micros())?;
        let payload = device.payload.lock().unwrap().take().expect("bound once");
        let payload = scope.devres::<Plain<AtDrop>>(payload)?.devres();
        let sleeper = scope.sleeper(2)?;
        Ok(Data {
            payload: Mutex::new(Some(payload)),
            sleep: Mutex::new(Box::pin(sleeper.sleep(device.sleep))),
            _note: log.note("data"),
        })
    }
}

fn bind<P: TestPlatform>(platform: &P, device: Device) -> Binding<Holder, P> {
    let bound = platform.lend_sleep(|cx| Binding::bind(platform.clone(), device, cx));
    bound.map_err(|failed| failed.error).unwrap()
}

fn until_gone<P: TestPlatform>(platform: &Metered<P>) {
    // The device, which was in that memory, goes after it.
    let gone = || platform.meter().live() == 0 && platform.log().count("drop device") > 0;
    platform.meanwhile(|| wait_until(gone));
    for name in ["device", "data", "captured", "owned"] {
        assert_eq!(platform.log().count(&format!("drop {name}")), 1, "{name}");
    }
    platform.assert_at_rest();
}

/// The last handle of a resource goes while the driver is bound, and its drop drops the binding: that is removed when the drop is over, for which it waits.
pub(super) fn a_payload_drops_the_binding_of_its_own_scope<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let shelf = Shelf::default();
    let log = platform.log();
    let device = Device::new(&log, {
        let (shelf, log) = (shelf.clone(), log.clone());
        move || {
            drop(take(&shelf));
            thread::sleep(5.millis());
            assert_eq!(log.count("drop data"), 0, "not before this is over");
            log.add("payload");
        }
    });
    let binding = bind(&platform, device);
    let handle = binding.with(|data| data.payload.lock().unwrap().take());
    *shelf.lock().unwrap() = Some(binding);
    platform.meanwhile(|| drop(handle));
    until_gone(&platform);
    assert_eq!(log.count("payload"), 1);
}

/// Drops a binding when it is woken, and when it is dropped itself.
struct Drops<P: TestPlatform>(Shelf<P>, Arc<AtomicU32>);

impl<P: TestPlatform> Wake for Drops<P> {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, SeqCst);
        drop(take(&self.0));
    }
}

impl<P: TestPlatform> Drop for Drops<P> {
    fn drop(&mut self) {
        drop(take(&self.0));
    }
}

/// Its sleep expires, and the waker drops the binding in that callback; or the scope closes, and the waker drops that of another; or another waker comes, and the drop
/// of the first drops the binding in the midst of the poll.
pub(super) fn a_waker_drops_the_driver_whose_sleep_it_waits_for<P: TestPlatform>() {
    for way in ["expiry", "close", "poll"] {
        let platform = Metered::<P>::fresh();
        let other = Metered::<P>::fresh();
        let shelf = Shelf::default();
        let wakes = Arc::new(AtomicU32::new(0));
        let waker = Waker::from(Arc::new(Drops(shelf.clone(), wakes.clone())));
        let mut device = Device::new(&platform.log(), || {});
        if way == "expiry" {
            device.sleep = 50.micros();
        }
        let mut binding = Some(bind(&platform, device));
        let port = binding.as_ref().unwrap().port().unwrap();
        let poll = |waker: &Waker| {
            port.call(|data| {
                let mut sleep = data.sleep.lock().unwrap();
                sleep.as_mut().poll(&mut Context::from_waker(waker))
            })
        };
        let shelve = |binding| *shelf.lock().unwrap() = binding;
        if way == "expiry" {
            shelve(binding.take());
        }
        // (It may have come to its end at once, on a slow machine.)
        let polled = poll(&waker).unwrap();
        match way {
            "expiry" => platform.meanwhile(|| {
                wait_until(|| polled.is_ready() || wakes.load(SeqCst) == 1);
            }),
            "close" => {
                shelve(Some(bind(&other, Device::new(&other.log(), || {}))));
                drop(binding.take());
                assert_eq!(wakes.load(SeqCst), 1);
                until_gone(&other);
            }
            _ => {
                shelve(binding.take());
                drop(waker);
                // The removal may have begun elsewhere by the end of the poll.
                let polled = poll(Waker::noop()).unwrap();
                assert!(polled.is_pending() || polled == Ready(Err(Error::Closed)));
                assert!(shelf.lock().unwrap().is_none(), "dropped below the poll");
                assert_eq!(wakes.load(SeqCst), 0);
            }
        }
        drop(take(&shelf));
        drop(port);
        until_gone(&platform);
    }
}

/// At each step of each end the tracer drops another binding, below the end that it was told of, and panics.
#[test]
fn a_tracer_drops_a_binding_at_each_step() {
    const PHASES: usize = 7;
    let shelf: Arc<Mutex<Vec<Binding<Holder, Host>>>> = Arc::default();
    let told = Arc::new(AtomicU32::new(0));
    let host = Host::with_tracer({
        let (shelf, told) = (shelf.clone(), told.clone());
        move |event| {
            if let Event::Phase { phase, .. } = event {
                told.fetch_add(1, SeqCst);
                let next = shelf.lock().unwrap().pop();
                drop(next);
                if *phase == Phase::Hooks {
                    on_purpose("a tracer");
                }
            }
        }
    })
    .unwrap();
    let log = Log::default();
    let bound = || bind(&host, Device::new(&log, || {}));
    let first = bound();
    *shelf.lock().unwrap() = (0..20).map(|_| bound()).collect();
    drop(first);
    assert!(shelf.lock().unwrap().is_empty());
    for name in ["device", "data", "captured", "owned"] {
        assert_eq!(log.count(&format!("drop {name}")), 21, "{name}");
    }
    assert_eq!(told.load(SeqCst) as usize, 21 * PHASES);
}

/// A destructor binds, enters, and is panicked through while it does.
pub(super) fn a_destructor_has_scopes_of_its_own<P: TestPlatform>() {
    let outer = Metered::<P>::fresh();
    let inner = Metered::<P>::fresh();
    inner.expect_panics();
    let ran = Arc::new(AtomicBool::new(false));
    let device = Device::new(&outer.log(), {
        let (inner, ran) = (inner.clone(), ran.clone());
        move || {
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                inner.lend_sleep(|cx| {
                    enter(inner.clone(), cx, &(), |(), scope| {
                        let _binding = bind(&inner, Device::new(&inner.log(), || {}));
                        let timer = scope.hrtimer(|t| t.restart_after(1.micros())).unwrap();
                        timer.start(1.micros()).unwrap();
                        scope.own(inner.log().mine("inner")).unwrap();
                        scope.sleep(50.micros());
                        on_purpose("in a destructor");
                    })
                })
            }));
            ran.store(unwound.is_err(), SeqCst);
        }
    });
    let binding = bind(&outer, device);
    // By a panic of its own, too.
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _binding = binding;
        on_purpose("outside");
    }));
    assert!(unwound.is_err() && ran.load(SeqCst));
    until_gone(&outer);
    assert_eq!(inner.log().count("drop inner"), 1);
    until_gone(&inner);
}

/// The holder of a lock panics in a callback: others find it free. One that is forgotten is locked for good, and ends with its scope all the same; and a value that needs
/// no `Send` is locked by one thread.
pub(super) fn a_lock_is_given_back_by_a_panic<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let log = platform.log();
    crate::common::run_on(&platform, |scope| {
        let lock = scope.own(Lock::<_, Metered<P>>::new(log.note("locked")))?;
        let local = scope.alloc(Lock::<_, Metered<P>>::new(core::cell::Cell::new(&1)))?;
        let done = scope.own(AtomicU32::new(0))?;
        let panics = scope.hrtimer(move |_| {
            let _guard = lock.lock();
            done.fetch_add(1, SeqCst);
            on_purpose("under a lock");
        })?;
        panics.start(1.micros())?;
        crate::common::until(scope, || done.load(SeqCst) == 1);
        let finds = scope.hrtimer(move |_| {
            mem::forget(lock.lock());
            done.fetch_add(1, SeqCst);
            Restart::No
        })?;
        finds.start(1.micros())?;
        crate::common::until(scope, || done.load(SeqCst) == 2);
        let once = scope.alloc(Once::new())?;
        assert!(once.set(local.lock().get()).is_ok());
        mem::forget(local.lock());
        Ok(())
    });
    assert_eq!(log.count("drop locked"), 1);
    run::<P>(|_| Ok(()));
}
