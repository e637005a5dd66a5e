//! A `Port`: a way in for the rest of the world that does not outlive the driver behind it, and does not hang who removes it.
//!
//! Seen to fail with: calls not waited for, the gate closed after the hooks or not at all, opened before there is data, a port that does
//! not look whose scope it is made of, a removal that does not look whether it is inside a call, the memory of a last port given back in a callback.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{
    in_a_callback, leaked_on_purpose, on_purpose, rounds, wait_until, Log, Metered, Note,
    TestPlatform,
};
use driver_scope::{
    enter, Binding, Busy, Driver, DriverScope, Error, HrTimer, MaySleep, Platform, Port,
    ReadSection, Restart, Revocable, Units,
};

mod common;
#[path = "port/inside.rs"]
mod inside;
#[path = "port/last.rs"]
mod last;

use inside::*;
use last::*;

on_every_strategy!(
    calls_are_let_in_until_the_remove,
    a_port_opens_when_probe_has_returned,
    a_remove_waits_for_a_call_that_its_hook_wakes,
    a_call_that_is_waited_for_can_use_everything,
    a_nested_call_is_refused_while_the_remove_waits,
    a_long_call_is_reported,
    a_panic_in_a_call_is_the_callers,
    many_threads_call_while_the_driver_is_removed,
    a_section_holds_off_a_remove,
);

on_every_platform!(
    a_port_opens_when_probe_has_returned,
    a_remove_waits_for_a_call_that_its_hook_wakes,
    a_call_that_is_waited_for_can_use_everything,
    a_port_of_a_failed_probe_never_opens,
    a_port_is_of_its_own_driver,
    a_port_may_be_made_later,
    a_callback_may_call,
    a_forgotten_port_changes_nothing,
    without_memory_there_is_no_port,
    the_last_port_may_outlive_everything,
    the_last_port_may_go_in_a_callback,
    the_last_port_takes_no_platform_with_it_too_early,
);

where_sections_tell!(
    an_unbind_in_a_call_gives_the_binding_back,
    an_unbind_in_a_section_gives_the_binding_back,
    a_binding_may_be_dropped_in_its_own_call,
    a_binding_may_be_dropped_in_a_call_that_sleeps,
    two_bindings_may_drop_each_other_in_calls,
);

const A_WHILE: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Bind,
    Fail,
    Panic,
}

struct Device<P: TestPlatform> {
    log: Log,
    fate: Fate,
    /// What probe makes.
    port: Mutex<Option<Port<Server, P>>>,
    /// What probe saw of it: a call, whether it was open.
    seen: Mutex<Option<(Result<u32, Error>, bool)>>,
    /// Has probe go on.
    goes_on: AtomicBool,
    /// Set by the driver's remove.
    removing: AtomicBool,
    /// Has it go on.
    remove_goes_on: AtomicBool,
    #[allow(dead_code)] // For its drop.
    note: Note,
}

impl<P: TestPlatform> Device<P> {
    fn new(log: &Log, fate: Fate) -> Arc<Self> {
        Arc::new(Device {
            log: log.clone(),
            fate,
            port: Mutex::new(None),
            seen: Mutex::new(None),
            goes_on: AtomicBool::new(true),
            removing: AtomicBool::new(false),
            remove_goes_on: AtomicBool::new(true),
            note: log.note("device"),
        })
    }
}

const ALIVE: u32 = 0x600d_600d;

struct Data<'drv, P: TestPlatform> {
    device: &'drv Arc<Device<P>>,
    calls: &'drv AtomicUsize,
    /// Counts how often it fires.
    timer: HrTimer<'drv, P>,
    fired: &'drv AtomicUsize,
    /// Tells whether it has been dropped.
    canary: AtomicU32,
    #[allow(dead_code)] // For its drop.
    note: Note,
}

impl<P: TestPlatform> Data<'_, P> {
    fn check(&self) -> u32 {
        let canary = self.canary.load(SeqCst);
        assert_eq!(canary, ALIVE, "called after its drop");
        assert!(Arc::strong_count(self.device) > 0);
        self.calls.fetch_add(1, SeqCst);
        canary
    }
}

impl<P: TestPlatform> Drop for Data<'_, P> {
    fn drop(&mut self) {
        self.check();
        self.canary.store(0xdead, SeqCst);
    }
}

struct Server;

impl<P: TestPlatform> Driver<P> for Server {
    type Device = Arc<Device<P>>;
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Arc<Device<P>>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Data<'drv, P>, Error> {
        let calls = scope.own(AtomicUsize::new(0))?;
        let fired = scope.own(AtomicUsize::new(0))?;
        let timer = scope.hrtimer(move |_| {
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;
        let port = scope.port::<Server>()?;
        *device.seen.lock().unwrap() = Some((port.call(|data| data.check()), port.is_open()));
        *device.port.lock().unwrap() = Some(port);
        wait_until(|| device.goes_on.load(SeqCst));
        match device.fate {
            Fate::Bind => Ok(Data {
                device,
                calls,
                timer,
                fired,
                canary: AtomicU32::new(ALIVE),
                note: device.log.note("data"),
            }),
            Fate::Fail => Err(Error::NoDevice),
            Fate::Panic => on_purpose("probe"),
        }
    }

    fn remove(data: &Data<'_, P>, _cx: MaySleep<'_>) {
        data.device.log.add("remove");
        data.device.removing.store(true, SeqCst);
        wait_until(|| data.device.remove_goes_on.load(SeqCst));
    }
}

type Bound<P> = Binding<Server, Metered<P>>;
type Way<P> = Port<Server, Metered<P>>;

fn try_bind<P: TestPlatform>(
    platform: &Metered<P>,
    device: &Arc<Device<Metered<P>>>,
) -> Result<Bound<P>, Error> {
    platform
        .lend_sleep(|cx| Binding::bind(platform.clone(), Arc::clone(device), cx))
        .map_err(|failed| failed.error)
}

fn bind<P: TestPlatform>(platform: &Metered<P>) -> (Bound<P>, Way<P>) {
    let device = Device::new(&platform.log(), Fate::Bind);
    let binding = try_bind(platform, &device).expect("it binds");
    let port = device.port.lock().unwrap().take().unwrap();
    (binding, port)
}

/// Removes the driver where one may sleep; says `"removed"` afterwards.
fn remove<P: TestPlatform>(binding: Bound<P>) {
    let platform = binding.platform().clone();
    platform.lend_sleep(|cx| assert!(binding.unbind(cx).is_ok()));
    platform.log().add("removed");
}

/// What is in the log, in this order.
#[track_caller]
fn assert_order(log: &Log, expected: &[&str]) {
    let mut lines = log.lines();
    lines.retain(|line| expected.contains(&&**line));
    assert_eq!(lines, expected);
}

fn calls_are_let_in_until_the_remove<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (binding, port) = bind(&platform);
    let more = [port.clone(), binding.port().unwrap()];
    for port in more.iter().chain([&port]) {
        assert!(port.is_open());
        assert_eq!(port.call(|data| data.check()), Ok(ALIVE));
    }
    // The same data, wherever one comes from.
    assert_eq!(binding.with(|data| data.calls.load(SeqCst)), 3);
    remove(binding);
    for port in more.iter().chain([&port]) {
        assert!(!port.is_open());
        assert_eq!(port.call(|data| data.check()), Err(Error::Gone));
    }
    drop((port, more));
    platform.assert_at_rest();
}

fn a_port_opens_when_probe_has_returned<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let device = Device::new(&platform.log(), Fate::Bind);
    device.goes_on.store(false, SeqCst);
    thread::scope(|threads| {
        threads.spawn(|| {
            wait_until(|| device.port.lock().unwrap().is_some());
            let port = device.port.lock().unwrap().clone().unwrap();
            assert_eq!(port.call(|data| data.check()), Err(Error::NotBound));
            assert!(!port.is_open());
            device.goes_on.store(true, SeqCst);
            // The first call that is let in sees the whole of the data.
            loop {
                match port.call(|data| data.check()) {
                    Err(Error::NotBound) => thread::yield_now(),
                    Ok(seen) => break assert_eq!(seen, ALIVE),
                    Err(error) => panic!("{error}"),
                }
            }
            assert!(port.is_open());
        });
        let binding = try_bind(&platform, &device).unwrap();
        wait_until(|| binding.with(|data| data.calls.load(SeqCst)) > 0);
        remove(binding);
    });
    let seen = device.seen.lock().unwrap().take();
    assert_eq!(seen, Some((Err(Error::NotBound), false)));
    drop(device);
    platform.assert_at_rest();
}

fn a_port_of_a_failed_probe_never_opens<P: TestPlatform>() {
    for fate in [Fate::Fail, Fate::Panic] {
        let platform = Metered::<P>::fresh();
        let device = Device::new(&platform.log(), fate);
        let outcome = catch_unwind(AssertUnwindSafe(|| try_bind(&platform, &device).err()));
        assert_eq!(outcome.is_err(), fate == Fate::Panic);
        let port = device.port.lock().unwrap().take().unwrap();
        assert_eq!(port.call(|data| data.check()), Err(Error::Gone));
        assert!(!port.is_open());
        drop(port);
        platform.assert_at_rest();
    }
}

/// Another driver, of the same data.
struct Other;

impl<P: TestPlatform> Driver<P> for Other {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>((): &'drv (), scope: &DriverScope<'drv, P>) -> Result<(), Error> {
        // What would be read as the data of the server is none.
        assert_eq!(scope.port::<Server>().err(), Some(Error::OtherDriver));
        let port = scope.port::<Other>()?;
        assert_eq!(port.call(|()| ()), Err(Error::NotBound));
        Ok(())
    }
}

fn a_port_is_of_its_own_driver<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.lend_sleep(|cx| {
        let binding = Binding::<Other, _>::bind(platform.clone(), (), cx).unwrap();
        binding.with_scope(cx, |(), scope| {
            assert_eq!(scope.port::<Server>().err(), Some(Error::OtherDriver));
            assert_eq!(scope.port::<Other>().unwrap().call(|()| ()), Ok(()));
        });
        drop(binding.unbind(cx));
        // A scope without a driver is nobody's.
        enter(platform.clone(), cx, &(), |(), scope| {
            assert_eq!(scope.port::<Other>().err(), Some(Error::OtherDriver));
        });
    });
    platform.assert_at_rest();
}

fn a_port_may_be_made_later<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (binding, port) = bind(&platform);
    let later = platform
        .lend_sleep(|cx| binding.with_scope(cx, |_, scope| scope.port::<Server>().unwrap()));
    assert_eq!(later.call(|data| data.check()), Ok(ALIVE));
    remove(binding);
    assert_eq!(later.call(|data| data.check()), Err(Error::Gone));
    drop((later, port));

    // The first of all, made when there is data already.
    platform.lend_sleep(|cx| {
        let binding = Binding::<Portless, _>::bind(platform.clone(), (), cx).unwrap();
        let port = binding.port().unwrap();
        assert_eq!(port.call(|number| *number), Ok(7));
        drop(binding.unbind(cx));
        assert_eq!(port.call(|number| *number), Err(Error::Gone));
    });
    platform.assert_at_rest();
}

/// A driver that makes no port of its own.
struct Portless;

impl<P: TestPlatform> Driver<P> for Portless {
    type Device = ();
    type Data<'drv> = u32;
    type Error = Error;

    fn probe<'drv>((): &'drv (), _: &DriverScope<'drv, P>) -> Result<u32, Error> {
        Ok(7)
    }
}

fn a_remove_waits_for_a_call_that_its_hook_wakes<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, port) = bind(&platform);
    let inside = AtomicBool::new(false);
    thread::scope(|threads| {
        threads.spawn(|| {
            let answer = port.call(|data| {
                inside.store(true, SeqCst);
                // If hooks ran after the wait for calls, this would never be.
                wait_until(|| data.device.removing.load(SeqCst));
                thread::sleep(A_WHILE);
                log.add("the call ends");
                data.check()
            });
            assert_eq!(answer, Ok(ALIVE));
        });
        wait_until(|| inside.load(SeqCst));
        remove(binding);
    });
    assert_order(&log, &["remove", "the call ends", "drop data", "removed"]);
    drop(port);
    platform.assert_at_rest();
}

fn a_call_that_is_waited_for_can_use_everything<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, port) = bind(&platform);
    let inside = AtomicBool::new(false);
    thread::scope(|threads| {
        threads.spawn(|| {
            port.call(|data| {
                inside.store(true, SeqCst);
                // Past every hook.
                wait_until(|| log.lines().iter().any(|line| line.ends_with(": close")));
                for times in 1..=3 {
                    assert_eq!(data.timer.start(0.nanos()), Ok(()));
                    wait_until(|| data.fired.load(SeqCst) == times);
                }
            })
            .unwrap();
        });
        wait_until(|| inside.load(SeqCst));
        remove(binding);
    });
    drop(port);
    platform.assert_at_rest();
}

fn a_nested_call_is_refused_while_the_remove_waits<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (binding, port) = bind(&platform);
    let inside = AtomicBool::new(false);
    thread::scope(|threads| {
        threads.spawn(|| {
            let other = port.clone();
            port.call(|data| {
                // Before, it is let in, through whichever port.
                for nested in [&port, &other] {
                    let deep = nested.call(|_| other.call(|data| data.check()));
                    assert_eq!(deep, Ok(Ok(ALIVE)));
                }
                // From the begin of the remove on, it is not: the hook has not even returned.
                data.device.remove_goes_on.store(false, SeqCst);
                inside.store(true, SeqCst);
                wait_until(|| data.device.removing.load(SeqCst));
                let refused = [&port, &other].map(|nested| nested.call(|data| data.check()));
                data.device.remove_goes_on.store(true, SeqCst);
                assert_eq!(refused, [Err(Error::Gone); 2]);
                data.check()
            })
            .unwrap();
        });
        wait_until(|| inside.load(SeqCst));
        remove(binding);
    });
    drop(port);
    platform.assert_at_rest();
}

fn a_long_call_is_reported<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, port) = bind(&platform);
    let report = "still waiting for port calls";
    let inside = AtomicBool::new(false);
    thread::scope(|threads| {
        threads.spawn(|| {
            port.call(|data| {
                inside.store(true, SeqCst);
                wait_until(|| log.lines().iter().any(|line| line.ends_with(report)));
                data.check()
            })
            .unwrap();
        });
        wait_until(|| inside.load(SeqCst));
        remove(binding);
    });
    assert_eq!(log.count("drop data"), 1);
}

fn a_panic_in_a_call_is_the_callers<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (binding, port) = bind(&platform);
    for _ in 0..20 {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            port.call(|_| -> u32 { on_purpose("a call") })
        }));
        assert!(panicked.is_err());
    }
    assert_eq!(port.call(|data| data.check()), Ok(ALIVE));
    // None of them is still inside.
    remove(binding);
    drop(port);
    platform.assert_at_rest();
}

fn many_threads_call_while_the_driver_is_removed<P: TestPlatform>() {
    const THREADS: usize = 8;
    const CALLS: usize = rounds(10_000, 200);
    let platform = Metered::<P>::fresh();
    let (binding, port) = bind(&platform);
    let calls = AtomicUsize::new(0);
    thread::scope(|threads| {
        for number in 0..THREADS {
            let (port, calls) = (port.clone(), &calls);
            threads.spawn(move || {
                let outcome = loop {
                    let outcome = port.call(|data| {
                        data.check();
                        if calls.fetch_add(1, SeqCst) % 64 == number {
                            // Inside for a while, and deeper.
                            thread::yield_now();
                            let deeper = port.clone().call(|data| data.check());
                            assert!(matches!(deeper, Ok(ALIVE) | Err(Error::Gone)));
                        }
                        data.check();
                    });
                    if let Err(error) = outcome {
                        break error;
                    }
                };
                assert_eq!(outcome, Error::Gone);
            });
        }
        wait_until(|| calls.load(SeqCst) >= CALLS);
        remove(binding);
    });
    assert_eq!(platform.log().count("drop data"), 1);
    drop(port);
    platform.assert_at_rest();
}

fn a_section_holds_off_a_remove<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, port) = bind(&platform);
    let device = Arc::clone(binding.device());
    thread::scope(|threads| {
        let section = ReadSection::enter(&platform);
        threads.spawn(|| remove(binding));
        wait_until(|| device.removing.load(SeqCst));
        thread::sleep(A_WHILE);
        log.add("the section ends");
        drop(section);
    });
    assert_order(
        &log,
        &["remove", "the section ends", "drop data", "removed"],
    );
    drop((port, device));
    platform.assert_at_rest();
}

fn a_callback_may_call<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (binding, port) = bind(&platform);
    let answer = Mutex::new(None);
    let call = || *answer.lock().unwrap() = Some(port.call(|data| data.check()));
    in_a_callback(&platform, call);
    assert_eq!(*answer.lock().unwrap(), Some(Ok(ALIVE)));
    remove(binding);
    in_a_callback(&platform, call);
    assert_eq!(*answer.lock().unwrap(), Some(Err(Error::Gone)));
}

fn a_forgotten_port_changes_nothing<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (binding, port) = bind(&platform);
    leaked_on_purpose(binding.port());
    leaked_on_purpose(port);
    remove(binding);
    assert_eq!(platform.log().count("drop data"), 1);
    // Only the gates are lost.
    assert_eq!(platform.meter().live(), 1);
}

fn without_memory_there_is_no_port<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.lend_sleep(|cx| {
        let binding = Binding::<Portless, _>::bind(platform.clone(), (), cx).unwrap();
        platform.meter().refuse_from(1);
        assert_eq!(binding.port().err(), Some(Error::NoMemory));
        platform.meter().refuse_from(0);
        let port = binding.port().unwrap();
        assert_eq!(port.call(|number| *number), Ok(7));
        // Further ones need none.
        platform.meter().refuse_from(1);
        assert_eq!(binding.port().unwrap().call(|number| *number), Ok(7));
        drop(binding.unbind(cx));
        drop(port);
    });
    platform.assert_at_rest();
}
