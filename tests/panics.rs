//! A panic of the driver is the driver's: it is caught and reported, no later step is skipped, nothing is lost.
//!
//! Seen to fail, mostly by an abort: with panics not caught, with their payloads dropped, with the mark of a panicked timer not set,
//! with a device dropped while its probe's panic unwinds.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use common::{
    memory_region, on_purpose, on_purpose_with_a_bomb, run_on, until, Log, Metered, Note,
    TestPlatform,
};
use driver_scope::platform::{Host, Region, Sim};
use driver_scope::{
    enter, Binding, Driver, DriverScope, Error, MaySleep, Registers, Restart, Units,
};

mod common;

on_every_platform!(
    a_panicked_callback_stops_its_timer_and_no_other,
    a_start_during_a_panicking_callback_comes_to_nothing,
    every_destructor_may_panic_at_remove,
    every_destructor_may_panic_when_the_binding_is_dropped,
    every_destructor_may_panic_after_a_panicked_probe,
    every_destructor_may_panic_when_enter_unwinds,
    a_payload_may_panic_itself,
    a_panicked_binding_can_be_dropped_by_a_panic,
);

fn a_panicked_callback_stops_its_timer_and_no_other<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    run_on(&platform, |scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let others = scope.own(AtomicU32::new(0))?;
        let other = scope.hrtimer(move |t| {
            others.fetch_add(1, SeqCst);
            t.restart_after(100.micros())
        })?;
        let bad = scope.named("bad").hrtimer(move |_| {
            fired.fetch_add(1, SeqCst);
            on_purpose("callback")
        })?;
        other.start(0.nanos())?;
        bad.start(0.nanos())?;
        until(scope, || fired.load(SeqCst) == 1 && !bad.is_active());
        assert_eq!(bad.start(0.nanos()), Err(Error::Panicked));
        assert_eq!(bad.start_at(scope.now()), Err(Error::Panicked));
        assert_eq!(bad.restart(), Err(Error::Panicked));
        assert_eq!(bad.forward(1.millis()), Err(Error::Panicked));
        assert_eq!(bad.cancel(scope.may_sleep()), Ok(false));
        let before = others.load(SeqCst);
        until(scope, || others.load(SeqCst) > before + 3);
        assert_eq!(fired.load(SeqCst), 1);
        Ok(())
    });
    assert_eq!(platform.log().count("enter: bad panicked"), 1);
}

fn a_start_during_a_panicking_callback_comes_to_nothing<P: TestPlatform>() {
    // At once, and so late that nobody waits for it to be turned away.
    for delay in [0.nanos(), 1000.secs()] {
        let platform = Metered::<P>::fresh();
        platform.expect_panics();
        run_on(&platform, |scope| {
            let fired = scope.own(AtomicU32::new(0))?;
            let (timer, vacant) = scope.vacant_hrtimer()?;
            vacant.set(scope, move |_| {
                timer.start(delay).unwrap();
                fired.fetch_add(1, SeqCst);
                on_purpose("callback")
            })?;
            timer.start(0.nanos())?;
            until(scope, || fired.load(SeqCst) == 1 && !timer.is_active());
            scope.sleep(2.millis());
            assert_eq!(fired.load(SeqCst), 1);
            Ok(())
        });
    }
}

enum Regs {}
impl Registers for Regs {
    const SIZE: usize = 4;
}

struct Device {
    log: Log,
    region: Region,
    probe_panics: bool,
    #[allow(dead_code)] // For its drop.
    note: Note,
}

/// Everything of it panics.
struct Minefield;

impl<P: TestPlatform> Driver<P> for Minefield {
    type Device = Device;
    type Data<'drv> = Note;
    type Error = Error;

    fn probe<'drv>(device: &'drv Device, scope: &DriverScope<'drv, P>) -> Result<Note, Error> {
        lay(device, scope)?;
        if device.probe_panics {
            on_purpose("probe");
        }
        Ok(device.log.mine("data"))
    }

    fn remove(data: &Note, _cx: MaySleep<'_>) {
        data.log().add("remove");
        on_purpose("remove");
    }
}

/// Registers two of each kind; each panics when it is dropped or run.
fn lay<'drv, P: TestPlatform>(
    device: &'drv Device,
    scope: &DriverScope<'drv, P>,
) -> Result<(), Error> {
    let log = &device.log;
    scope.map::<Regs>(&device.region)?;
    for [owned, captured, hook] in [
        ["owned 1", "captured 1", "hook 1"],
        ["owned 2", "captured 2", "hook 2"],
    ] {
        scope.named(owned).own(log.mine(owned))?;
        let mine = log.mine(captured);
        let timer = scope.named(captured).hrtimer(move |_| {
            let _all_of_it = &mine;
            Restart::No
        })?;
        timer.start(3600.secs())?;
        let note = log.note(hook);
        scope.named(hook).on_remove(move |_| {
            let _all_of_it = &note;
            on_purpose(hook);
        })?;
    }
    Ok(())
}

fn minefield(log: &Log, probe_panics: bool, note: Note) -> Device {
    Device {
        log: log.clone(),
        region: memory_region(4),
        probe_panics,
        note,
    }
}

/// What ran or was dropped, in order.
fn story(log: &Log) -> Vec<String> {
    let told = |line: &String| line.starts_with("drop ") || line == "remove";
    log.lines().into_iter().filter(told).collect()
}

const HOOKS: [&str; 2] = ["drop hook 2", "drop hook 1"];
const DESTROYED: [&str; 4] = [
    "drop captured 2",
    "drop captured 1",
    "drop owned 2",
    "drop owned 1",
];

fn every_destructor_may_panic_at_remove<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let log = platform.log();
    let device = minefield(&log, false, log.mine("device"));
    let region = device.region.clone();
    let device = platform.lend_sleep(|cx| {
        Binding::<Minefield, _>::bind(platform.clone(), device, cx)
            .map_err(|failed| failed.error)
            .expect("it binds")
            .unbind(cx)
            .expect("no callback")
    });
    platform.assert_at_rest();
    let expected = [&["remove"][..], &HOOKS, &["drop data"], &DESTROYED].concat();
    assert_eq!(story(&log), expected);
    // Each was told: remove, two hooks, data, two captures, two owned values.
    let panicked = log
        .lines()
        .iter()
        .filter(|l| l.ends_with(" panicked") && !l.contains(": panicked"))
        .count();
    assert_eq!(panicked, 8, "{:?}", log.lines());
    // The region is free again.
    run_on(&platform, |scope| scope.map::<Regs>(&region).map(drop));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(device))).is_err());
}

fn every_destructor_may_panic_when_the_binding_is_dropped<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let log = platform.log();
    let device = minefield(&log, false, log.mine("device"));
    let binding = platform
        .lend_sleep(|cx| Binding::<Minefield, _>::bind(platform.clone(), device, cx))
        .map_err(|failed| failed.error)
        .expect("it binds");
    // The device's own panic may come through or not, but everything is done.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(binding)));
    platform.assert_at_rest();
    let expected = [
        &["remove"][..],
        &HOOKS,
        &["drop data"],
        &DESTROYED,
        &["drop device"],
    ];
    assert_eq!(story(&log), expected.concat());
}

fn every_destructor_may_panic_after_a_panicked_probe<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let log = platform.log();
    let device = minefield(&log, true, log.mine("device"));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        platform
            .lend_sleep(|cx| Binding::<Minefield, _>::bind(platform.clone(), device, cx))
            .map_err(|failed| failed.error)
            .map(drop)
    }));
    let payload = panicked.expect_err("the probe's panic goes on");
    assert_eq!(
        payload.downcast_ref::<String>().unwrap(),
        "on purpose: probe"
    );
    platform.assert_at_rest();
    let expected = [&HOOKS[..], &DESTROYED, &["drop device"]].concat();
    assert_eq!(story(&log), expected);
}

fn every_destructor_may_panic_when_enter_unwinds<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let log = platform.log();
    let device = minefield(&log, false, log.note("device"));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        platform.lend_sleep(|cx| {
            enter(platform.clone(), cx, &device, |device, scope| {
                lay(device, scope).unwrap();
                on_purpose("enter")
            })
        })
    }));
    let payload = panicked.expect_err("the panic goes on");
    assert_eq!(
        payload.downcast_ref::<String>().unwrap(),
        "on purpose: enter"
    );
    platform.assert_at_rest();
    assert_eq!(story(&log), [&HOOKS[..], &DESTROYED].concat());
}

/// Its drop panics with a payload whose drop panics.
struct Tricky(Note);

impl Drop for Tricky {
    fn drop(&mut self) {
        let _ = &self.0;
        on_purpose_with_a_bomb();
    }
}

fn a_payload_may_panic_itself<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let log = platform.log();
    run_on(&platform, |scope| {
        scope.own(Tricky(log.note("owned")))?;
        let fired = scope.own(AtomicU32::new(0))?;
        let captured = Tricky(log.note("captured"));
        let timer = scope.hrtimer(move |_| {
            let _all_of_it = &captured;
            fired.fetch_add(1, SeqCst);
            on_purpose_with_a_bomb()
        })?;
        scope.on_remove(|_| on_purpose_with_a_bomb())?;
        timer.start(0.nanos())?;
        until(scope, || fired.load(SeqCst) == 1);
        Ok(())
    });
    assert_eq!(story(&log), ["drop captured", "drop owned"]);
}

fn a_panicked_binding_can_be_dropped_by_a_panic<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let log = platform.log();
    let device = minefield(&log, false, log.note("device"));
    let binding = platform
        .lend_sleep(|cx| Binding::<Minefield, _>::bind(platform.clone(), device, cx))
        .map_err(|failed| failed.error)
        .expect("it binds");
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        let _dropped_while_unwinding = binding;
        on_purpose("the program");
    }));
    assert!(panicked.is_err());
    platform.assert_at_rest();
    let expected = [
        &["remove"][..],
        &HOOKS,
        &["drop data"],
        &DESTROYED,
        &["drop device"],
    ];
    assert_eq!(story(&log), expected.concat());
}

/// What a program gives to its platform is the program's, too: here, the last clone goes with the binding.
#[test]
fn a_platform_may_panic_when_it_is_dropped() {
    struct Quiet;
    impl<P: TestPlatform> Driver<P> for Quiet {
        type Device = Note;
        type Data<'drv> = ();
        type Error = Error;
        fn probe<'drv>(_: &'drv Note, _: &DriverScope<'drv, P>) -> Result<(), Error> {
            Ok(())
        }
    }
    for unbind in [true, false] {
        let log = Log::default();
        let tracer = log.mine("tracer");
        let host = Host::with_tracer(move |_| {
            let _all_of_it = &tracer;
        })
        .unwrap();
        // Its proof will do for the other: both are for this thread.
        Sim::new().may_sleep(|cx| {
            let binding = Binding::<Quiet, Host>::bind(host, log.note("device"), cx)
                .map_err(|failed| failed.error)
                .unwrap();
            let _ = catch_unwind(AssertUnwindSafe(|| {
                if unbind {
                    let _ = binding.unbind(cx);
                } else {
                    drop(binding);
                }
            }));
        });
        assert_eq!(log.count("drop tracer"), 1);
        assert_eq!(log.count("drop device"), 1);
    }
}

#[test]
fn a_platform_may_panic_when_it_is_dropped_by_enter() {
    let log = Log::default();
    let host = || {
        let tracer = log.mine("tracer");
        Host::with_tracer(move |_| {
            let _all_of_it = &tracer;
        })
        .unwrap()
    };
    Sim::new().may_sleep(|cx| {
        // The result comes out, and so does a panic of the body: neither is lost, and there is no second panic.
        let result = enter(host(), cx, &(), |(), _| log.note("result"));
        assert_eq!(log.count("drop tracer"), 1);
        drop(result);
        assert_eq!(log.count("drop result"), 1);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            enter(host(), cx, &(), |(), _| on_purpose("body"))
        }));
        assert!(panicked.is_err());
        assert_eq!(log.count("drop tracer"), 2);
    });
}
