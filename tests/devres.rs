//! A `Devres`: released with its scope at the latest, whoever holds on to it, and not while it is read (traps 5, 8, 9).
//!
//! Seen to fail with: readers not waited for, payloads not dropped by the teardown or not by the last handle, dropped twice, dropped after
//! the driver's data, dropped in a callback; a `bind` that does not look whose the resource is.

use std::any::Any;
use std::mem;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{mpsc, Arc, Barrier, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use common::strategies::{Counting, With};
use common::{
    in_a_callback, leaked_on_purpose, memory_region, rounds, run_on, until, wait_until, Log,
    Metered, Note, TestPlatform,
};
use driver_scope::platform::{Host, Region};
use driver_scope::sections::Counted;
use driver_scope::{
    enter, registers, Binding, Bound, Covariant, Devres, Driver, DriverScope, Error, Family,
    HrTimer, Mmio, Plain, Platform, ReadSection, Restart, TryCancel, Units,
};

mod common;
#[path = "devres/inside.rs"]
mod inside;
#[path = "devres/payloads.rs"]
mod payloads;
#[path = "devres/waits.rs"]
mod waits;

use inside::*;
use payloads::*;
use waits::*;

on_every_strategy!(
    payloads_go_first_and_newest_first,
    handles_that_stay_behind_see_nothing,
    the_last_handle_releases_at_once,
    many_threads_read_while_the_driver_is_removed,
    the_last_handle_races_with_the_remove,
    a_reader_is_waited_for,
    a_reader_that_does_not_leave_is_reported,
    a_forgotten_guard_keeps_the_scope,
    a_section_holds_off_a_remove,
    a_forgotten_handle_changes_nothing,
);

on_every_platform!(
    payloads_go_first_and_newest_first,
    the_end_of_enter_releases_too,
    handles_that_stay_behind_see_nothing,
    the_last_handle_releases_at_once,
    a_last_handle_in_a_callback_leaves_it_to_the_scope,
    handles_that_stay_behind_may_go_in_a_callback,
    a_payload_may_use_the_scope_in_its_drop,
    payloads_may_hold_handles,
    a_payload_may_panic_in_its_drop,
    inside_its_scope_nothing_is_checked,
    a_resource_binds_to_its_own_scope_only,
    what_could_not_be_kept_is_dropped,
    every_family_can_be_read,
);

const A_WHILE: Duration = Duration::from_millis(10);

type Outside<P> = Devres<Plain<Note>, P>;

registers! {
    Regs: 8 {
        4 => rw WORD: u32,
    }
}

/// What a device takes out of its driver's probe.
struct Device<P: TestPlatform> {
    log: Log,
    outside: Mutex<Vec<Outside<P>>>,
    #[allow(dead_code)] // For its drop.
    note: Note,
}

impl<P: TestPlatform> Device<P> {
    fn new(log: &Log) -> Self {
        Device {
            log: log.clone(),
            outside: Mutex::default(),
            note: log.note("device"),
        }
    }
}

/// registers two resources, among one of each other kind.
struct Full;

impl<P: TestPlatform> Driver<P> for Full {
    type Device = Arc<Device<P>>;
    type Data<'drv> = Note;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Arc<Device<P>>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Note, Error> {
        let log = &device.log;
        let captured = log.note("captured");
        let timer = scope.hrtimer(move |_| {
            let _all_of_it = &captured;
            Restart::No
        })?;
        timer.start(3600.secs())?;
        for name in ["one", "two"] {
            let devres = scope.named(name).devres::<Plain<Note>>(log.note(name))?;
            device.outside.lock().unwrap().push(devres.devres());
            scope.own(log.note("owned"))?;
        }
        Ok(log.note("data"))
    }
}

type Parts<P> = (Binding<Full, Metered<P>>, Vec<Outside<Metered<P>>>);

/// The driver, bound, and its resources as the rest of the world has them.
fn bind<P: TestPlatform>(platform: &Metered<P>) -> Parts<P> {
    let device = Arc::new(Device::new(&platform.log()));
    let binding = platform
        .lend_sleep(|cx| Binding::bind(platform.clone(), Arc::clone(&device), cx))
        .map_err(|failed| failed.error)
        .expect("it binds");
    let outside = mem::take(&mut *device.outside.lock().unwrap());
    (binding, outside)
}

/// What is dropped, in its order.
fn dropped(log: &Log) -> Vec<String> {
    let mut lines = log.lines();
    lines.retain(|line| line.starts_with("drop "));
    lines
}

/// The events of a remove that are not about its phases.
fn ended(log: &Log) -> Vec<String> {
    let lines = log.lines();
    let told = lines.iter().filter_map(|line| line.split_once("devres "));
    told.map(|(_, what)| what.to_owned()).collect()
}

fn payloads_go_first_and_newest_first<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, outside) = bind(&platform);
    assert!(outside.iter().all(|handle| handle.try_access().is_some()));
    let device = platform.lend_sleep(|cx| binding.unbind(cx)).unwrap();
    assert_eq!(
        dropped(&log),
        [
            "drop two",
            "drop one",
            "drop data",
            "drop captured",
            "drop owned",
            "drop owned"
        ]
    );
    assert_eq!(ended(&log), ["two: dropped", "one: dropped"]);
    // In the phase for it: not while anything of the driver runs.
    let lines = log.lines();
    let at = |end: &str| lines.iter().position(|line| line.ends_with(end)).unwrap();
    assert!(at("shut down") < at("destroy") && at("destroy") < at("drop two"));
    drop((device, outside));
    platform.assert_at_rest();
}

fn the_end_of_enter_releases_too<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let outside = platform
        .lend_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                scope.own(log.note("owned"))?;
                let devres = scope.devres::<Plain<Note>>(log.note("payload"))?.devres();
                let note = log.clone();
                scope.on_remove(move |_| note.add("hook"))?;
                devres.try_access().unwrap().get().log().add("access");
                Ok::<_, Error>(devres)
            })
        })
        .unwrap();
    assert!(outside.try_access().is_none());
    let lines = log.lines();
    let told: Vec<_> = lines
        .iter()
        .filter(|line| !line.starts_with("enter: "))
        .collect();
    assert_eq!(told, ["access", "hook", "drop payload", "drop owned"]);
    drop(outside);
    // An unwinding one, too.
    let kept = Mutex::new(None);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        platform.lend_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let devres = scope.devres::<Plain<Note>>(log.note("payload")).unwrap();
                *kept.lock().unwrap() = Some(devres.devres());
                common::on_purpose("enter")
            })
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(log.count("drop payload"), 2);
    assert!(kept.into_inner().unwrap().unwrap().try_access().is_none());
    platform.assert_at_rest();
}

fn handles_that_stay_behind_see_nothing<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, outside) = bind(&platform);
    drop(binding);
    let more = outside.clone();
    for handle in outside.iter().chain(&more) {
        assert!(handle.try_access().is_none());
        assert!(handle.try_access_with(|_| unreachable!()).is_none());
        let section = ReadSection::enter(&platform);
        assert!(handle.try_access_with_guard(&section).is_none());
    }
    assert_eq!(dropped(&log).len(), 7);
    // They are all that is left: a block for each resource, and one for the gates.
    assert_eq!(platform.meter().live(), 3);
    drop(outside);
    assert_eq!(platform.meter().live(), 3);
    drop(more);
    assert_eq!(dropped(&log).len(), 7);
    platform.assert_at_rest();
}

fn the_last_handle_releases_at_once<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, mut outside) = bind(&platform);
    let one = outside.remove(0);
    let clone = one.clone();
    drop(one);
    clone.try_access().unwrap().get().log().add("access");
    assert_eq!(log.count("drop one"), 0);
    drop(clone);
    assert_eq!(log.count("drop one"), 1);
    outside[0].try_access().unwrap().get().log().add("access");
    drop(binding);
    // Once, and the remove says nothing of it.
    assert_eq!(log.count("drop one"), 1);
    assert_eq!(ended(&log), ["two: dropped"]);
    drop(outside);
    platform.assert_at_rest();
}

fn a_last_handle_in_a_callback_leaves_it_to_the_scope<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, mut outside) = bind(&platform);
    let one = outside.remove(0);
    in_a_callback(&platform, || {
        one.try_access().unwrap().get().log().add("access");
        drop(one);
    });
    assert_eq!(log.count("access"), 1);
    assert_eq!(log.count("drop one"), 0);
    drop(binding);
    assert_eq!(ended(&log), ["two: dropped", "one: dropped"]);
    drop(outside);
    platform.assert_at_rest();
}

fn handles_that_stay_behind_may_go_in_a_callback<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    // The callback is of another world, and the handles are the last of theirs.
    let elsewhere = P::fresh();
    let (binding, outside) = bind(&platform);
    let (log, weak) = (platform.log(), platform.weak());
    drop((binding, platform));
    in_a_callback(&elsewhere, || drop(outside));
    assert_eq!(log.count("drop one"), 1);
    // The memory is given back, and then the platform goes.
    wait_until(|| weak.upgrade().is_none());
}

fn a_forgotten_handle_changes_nothing<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, outside) = bind(&platform);
    leaked_on_purpose(outside);
    platform.lend_sleep(|cx| {
        binding.with_scope(cx, |_, scope| {
            leaked_on_purpose(scope.devres::<Plain<Note>>(log.note("three")).unwrap());
        });
        drop(binding.unbind(cx));
    });
    assert_eq!(dropped(&log)[..3], ["drop three", "drop two", "drop one"]);
    // Only the blocks that the handles share are lost, as with any counted value.
    assert_eq!(platform.meter().live(), 4);
}

fn what_could_not_be_kept_is_dropped<P: TestPlatform>() {
    for n in 1.. {
        let platform = Metered::<P>::fresh();
        let log = platform.log();
        let result = platform.lend_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                platform.meter().refuse_from(n);
                let outcome = scope.devres::<Plain<Note>>(log.note("payload"));
                platform.meter().refuse_from(0);
                let kept = outcome.map(|bound| bound.devres());
                // It can be tried again.
                let again = scope.devres::<Plain<Note>>(log.note("again"))?;
                again.try_access().unwrap().get().log().add("access");
                kept
            })
        });
        match result {
            Err(error) => {
                assert_eq!(error, Error::NoMemory);
                assert_eq!(dropped(&log), ["drop payload", "drop again"]);
            }
            Ok(kept) => {
                assert_eq!(dropped(&log), ["drop again", "drop payload"]);
                drop(kept);
                platform.assert_at_rest();
                // The gates, the block and the scope's memory.
                assert_eq!(n, 4);
                return;
            }
        }
        platform.assert_at_rest();
    }
}

/// However many there are, their readers are waited for once; and where there are none, nobody waits.
#[test]
fn a_remove_waits_once_for_the_readers_of_all() {
    type P = With<Host, Counting<Counted>>;
    let platform = Metered::<P>::fresh();
    let waits = |resources: usize, ports: bool| {
        let before = platform.inner().sections().waits();
        let mut outside = Vec::new();
        platform.lend_sleep(|cx| {
            let device = Arc::new(Device::new(&platform.log()));
            let bound = Binding::<Idle, _>::bind(platform.clone(), device, cx);
            let binding = bound.map_err(|failed| failed.error).unwrap();
            binding.with_scope(cx, |_, scope| {
                for number in 0..resources {
                    outside.push(scope.devres::<Plain<usize>>(number).unwrap().devres());
                }
            });
            let port = ports.then(|| binding.port().unwrap());
            drop(binding.unbind(cx));
            drop(port);
        });
        assert!(outside.iter().all(|handle| handle.try_access().is_none()));
        platform.inner().sections().waits() - before
    };
    assert_eq!(waits(0, false), 0);
    assert_eq!(waits(1, false), 1);
    assert_eq!(waits(10_000, false), 1);
    // Ports are another gate.
    assert_eq!(waits(0, true), 1);
    assert_eq!(waits(10_000, true), 2);
    platform.assert_at_rest();
}

/// A driver that does nothing.
struct Idle;

impl<P: TestPlatform> Driver<P> for Idle {
    type Device = Arc<Device<P>>;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_: &'drv Arc<Device<P>>, _: &DriverScope<'drv, P>) -> Result<(), Error> {
        Ok(())
    }
}
