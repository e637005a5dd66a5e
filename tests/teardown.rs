//! A scope ends in one order, however it ends: gate, hooks, close, shut down, destroy, release; newest first in each.
//!
//! Seen to fail with: owned values dropped before captures, mappings undone before the destroy phase, any of the kinds not dropped, the
//! mark of closing not set.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::thread;

use common::{memory_region, on_purpose, run_on, wait_until, Log, Metered, Note, TestPlatform};
use driver_scope::platform::Region;
use driver_scope::{
    enter, registers, Binding, Driver, DriverScope, Error, HrTimer, MaySleep, Mmio, Platform,
    Restart, TryCancel, Units,
};

mod common;

on_every_platform!(
    a_remove_goes_by_phases,
    a_drop_of_the_binding_goes_by_phases,
    a_failed_probe_goes_by_phases,
    a_panicked_probe_goes_by_phases,
    the_end_of_enter_goes_by_phases,
    an_unwinding_enter_goes_by_phases,
    a_device_comes_back_and_can_be_bound_again,
    a_callback_that_is_waited_for_finds_arming_refused,
    hooks_find_everything_working,
    a_hook_may_sleep_and_callbacks_run_meanwhile,
    nothing_runs_after_the_teardown,
);

registers! {
    Scratch: 8 {
        4 => rw WORD: u32,
    }
}

enum Fate {
    Bind,
    Fail,
    Panic,
}

struct Device {
    log: Log,
    regions: [Region; 2],
    fate: Fate,
    #[allow(dead_code)] // For its drop.
    note: Note,
}

impl Device {
    fn new(log: &Log, fate: Fate) -> Self {
        Device {
            log: log.clone(),
            regions: [memory_region(8), memory_region(16)],
            fate,
            note: log.note("device"),
        }
    }
}

/// Uses what it holds when it is dropped: in the destroy phase registers can be accessed, timers can be looked at and cancelled, and
/// only arming is refused.
struct User<'drv, P: Platform> {
    timer: HrTimer<'drv, P>,
    regs: Mmio<'drv, Scratch, P>,
    #[allow(dead_code)] // For its drop.
    note: Note,
}

impl<P: Platform> Drop for User<'_, P> {
    fn drop(&mut self) {
        let before = self.regs.read(WORD);
        self.regs.write(WORD, before + 1);
        assert_eq!(self.regs.read(WORD), before + 1);
        assert_eq!(self.timer.start(0.nanos()), Err(Error::Closed));
        assert_eq!(
            self.timer.start_at(self.timer.expires().unwrap()),
            Err(Error::Closed)
        );
        assert_eq!(self.timer.restart(), Err(Error::Closed));
        assert_eq!(self.timer.try_cancel(), TryCancel::Idle);
        assert!(!self.timer.is_active());
        assert_eq!(self.timer.remaining(), None);
    }
}

/// registers two of each kind, in turns.
fn fill<'drv, P: TestPlatform>(
    device: &'drv Device,
    scope: &DriverScope<'drv, P>,
) -> Result<(HrTimer<'drv, P>, Mmio<'drv, Scratch, P>), Error> {
    let log = &device.log;
    let mut made = None;
    for (region, [mapping, owned, timer, hook]) in device.regions.iter().zip([
        ["mapping 1", "owned 1", "timer 1", "hook 1"],
        ["mapping 2", "owned 2", "timer 2", "hook 2"],
    ]) {
        let regs = scope.named(mapping).map::<Scratch>(region)?;
        scope.named(owned).own(log.note(owned))?;
        let (handle, vacant) = scope.named(timer).vacant_hrtimer()?;
        let user = User {
            timer: handle,
            regs,
            note: log.note(timer),
        };
        vacant.set(scope, move |_| {
            let _all_of_it = &user;
            Restart::No
        })?;
        handle.start(3600.secs())?;
        let note = log.note(hook);
        scope.named(hook).on_remove(move |cx| {
            let _all_of_it = &note;
            assert_eq!(regs.read(WORD), 0);
            assert_eq!(handle.start(7200.secs()), Ok(()));
            assert_eq!(handle.cancel(cx), Ok(true));
            assert_eq!(handle.restart(), Ok(()));
        })?;
        made = Some((handle, regs));
    }
    made.ok_or(Error::NoDevice)
}

struct Full;

impl<P: TestPlatform> Driver<P> for Full {
    type Device = Device;
    type Data<'drv> = User<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<User<'drv, P>, Error> {
        let (timer, regs) = fill(device, scope)?;
        match device.fate {
            Fate::Bind => Ok(User {
                timer,
                regs,
                note: device.log.note("data"),
            }),
            Fate::Fail => Err(Error::TimedOut),
            Fate::Panic => on_purpose("probe"),
        }
    }

    fn remove(data: &User<'_, P>, cx: MaySleep<'_>) {
        assert_eq!(data.regs.read(WORD), 0);
        assert_eq!(data.timer.cancel(cx), Ok(true));
        assert_eq!(data.timer.start(3600.secs()), Ok(()));
        data.note.log().add("remove");
    }
}

/// What is logged, without what differs from one run to the other: whose scope it is, instants, how many blocks of memory.
fn story(log: &Log) -> Vec<String> {
    let mut story: Vec<String> = log
        .lines()
        .iter()
        .map(|line| {
            let line = line.rsplit_once("Full: ").map_or(&**line, |(_, rest)| rest);
            let line = line.strip_prefix("enter: ").unwrap_or(line);
            match line.split_once(" was armed for") {
                Some((what, _)) => format!("{what} was armed"),
                None => line.into(),
            }
        })
        .collect();
    story.dedup();
    story
}

const HOOKS: [&str; 5] = [
    "drop hook 2",
    "on_remove action hook 2: ran",
    "drop hook 1",
    "on_remove action hook 1: ran",
    "close",
];
const SHUT_DOWN: [&str; 4] = [
    "shut down",
    "hrtimer timer 2: was armed",
    "hrtimer timer 1: was armed",
    "destroy",
];
const DESTROY: [&str; 6] = [
    "drop timer 2",
    "drop timer 1",
    "drop owned 2",
    "owned value owned 2: dropped",
    "drop owned 1",
    "owned value owned 1: dropped",
];
const RELEASE: [&str; 5] = [
    "release",
    "mapping mapping 2: dropped",
    "mapping mapping 1: dropped",
    "memory is given back",
    "done",
];
const DATA: [&str; 2] = ["drop data", "driver data data: dropped"];
/// The binding's own block.
const STORAGE: &str = "memory is given back";

fn metered<P: TestPlatform>() -> Metered<P> {
    let platform = Metered::<P>::fresh();
    platform.meter().log_memory.store(true, SeqCst);
    platform
}

fn bind<P: TestPlatform>(platform: &Metered<P>) -> Binding<Full, Metered<P>> {
    let device = Device::new(&platform.log(), Fate::Bind);
    platform
        .lend_sleep(|cx| Binding::bind(platform.clone(), device, cx))
        .map_err(|failed| failed.error)
        .expect("it binds")
}

fn a_remove_goes_by_phases<P: TestPlatform>() {
    let platform = metered::<P>();
    let binding = bind(&platform);
    let device = platform
        .lend_sleep(|cx| binding.unbind(cx))
        .expect("no callback");
    platform.log().add("the device is back");
    platform.assert_at_rest();
    drop(device);
    let expected = [
        &["gate", "hooks", "remove"][..],
        &HOOKS,
        &SHUT_DOWN,
        &DATA,
        &DESTROY,
        &RELEASE,
        &[STORAGE, "the device is back", "drop device"],
    ];
    assert_eq!(story(&platform.log()), expected.concat());
}

fn a_drop_of_the_binding_goes_by_phases<P: TestPlatform>() {
    let platform = metered::<P>();
    drop(bind(&platform));
    platform.assert_at_rest();
    let expected = [
        &["gate", "hooks", "remove"][..],
        &HOOKS,
        &SHUT_DOWN,
        &DATA,
        &DESTROY,
        &RELEASE,
        &[STORAGE, "drop device"],
    ];
    assert_eq!(story(&platform.log()), expected.concat());
}

fn a_failed_probe_goes_by_phases<P: TestPlatform>() {
    let platform = metered::<P>();
    let device = Device::new(&platform.log(), Fate::Fail);
    let failed = platform
        .lend_sleep(|cx| Binding::<Full, _>::bind(platform.clone(), device, cx))
        .expect_err("it fails");
    assert_eq!(failed.error, Error::TimedOut);
    platform.log().add("the device is back");
    platform.assert_at_rest();
    drop(failed);
    let expected = [
        &["gate", "hooks"][..],
        &HOOKS,
        &SHUT_DOWN,
        &DESTROY,
        &RELEASE,
        &[STORAGE, "the device is back", "drop device"],
    ];
    assert_eq!(story(&platform.log()), expected.concat());
}

fn a_panicked_probe_goes_by_phases<P: TestPlatform>() {
    let platform = metered::<P>();
    let device = Device::new(&platform.log(), Fate::Panic);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        platform
            .lend_sleep(|cx| Binding::<Full, _>::bind(platform.clone(), device, cx))
            .map(drop)
            .map_err(drop)
    }));
    assert!(panicked.is_err());
    platform.assert_at_rest();
    let expected = [
        &["gate", "hooks"][..],
        &HOOKS,
        &SHUT_DOWN,
        &DESTROY,
        &RELEASE,
        &[STORAGE, "drop device"],
    ];
    assert_eq!(story(&platform.log()), expected.concat());
}

fn the_end_of_enter_goes_by_phases<P: TestPlatform>() {
    let platform = metered::<P>();
    let device = Device::new(&platform.log(), Fate::Bind);
    let result = platform.lend_sleep(|cx| {
        enter(platform.clone(), cx, &device, |device, scope| {
            fill(device, scope).map(drop)
        })
    });
    assert_eq!(result, Ok(()));
    platform.log().add("enter has returned");
    platform.assert_at_rest();
    let expected = [
        &["gate", "hooks"][..],
        &HOOKS,
        &SHUT_DOWN,
        &DESTROY,
        &RELEASE,
        &["enter has returned"],
    ];
    assert_eq!(story(&platform.log()), expected.concat());
}

fn an_unwinding_enter_goes_by_phases<P: TestPlatform>() {
    let platform = metered::<P>();
    let device = Device::new(&platform.log(), Fate::Bind);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        platform.lend_sleep(|cx| {
            enter(platform.clone(), cx, &device, |device, scope| {
                fill(device, scope).unwrap();
                on_purpose("enter")
            })
        })
    }));
    assert!(panicked.is_err());
    platform.assert_at_rest();
    let expected = [
        &["gate", "hooks"][..],
        &HOOKS,
        &SHUT_DOWN,
        &DESTROY,
        &RELEASE,
    ];
    assert_eq!(story(&platform.log()), expected.concat());
}

fn a_device_comes_back_and_can_be_bound_again<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let mut device = Device::new(&Log::default(), Fate::Bind);
    // The registers were written by every `User` of the last binding.
    device.regions = [memory_region(8), memory_region(8)];
    for _ in 0..3 {
        device = platform.lend_sleep(|cx| {
            let binding = Binding::<Full, _>::bind(platform.clone(), device, cx)
                .map_err(|failed| failed.error)
                .expect("it binds, and maps what was mapped before");
            let mut device = binding.unbind(cx).expect("no callback");
            device.regions = [memory_region(8), memory_region(8)];
            device
        });
        platform.assert_at_rest();
    }
}

fn a_callback_that_is_waited_for_finds_arming_refused<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let fired = AtomicU32::new(0);
    platform.meanwhile(|| {
        platform
            .lend_sleep(|cx| {
                enter(platform.clone(), cx, &fired, |fired, scope| {
                    // Shut down after the one that is waited for: what refuses is the closing.
                    let older = scope.hrtimer(|_| Restart::No)?;
                    let inside = scope.own(AtomicBool::new(false))?;
                    let timer = scope.hrtimer(move |t| {
                        inside.store(true, SeqCst);
                        fired.fetch_add(1, SeqCst);
                        wait_until(|| older.start(3600.secs()) == Err(Error::Closed));
                        t.restart_after(0.nanos())
                    })?;
                    timer.start(0.nanos())?;
                    wait_until(|| inside.load(SeqCst));
                    Ok::<(), Error>(())
                })
            })
            .unwrap();
        thread::sleep(2.millis());
    });
    assert_eq!(fired.load(SeqCst), 1);
    platform.assert_at_rest();
}

fn hooks_find_everything_working<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    run_on(&platform, |scope| {
        let inner = platform.clone();
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |_| {
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;
        scope.on_remove(move |cx| {
            // A scope of its own, inside the teardown of the other.
            let nested = enter(inner.clone(), cx, fired, |fired, scope| {
                let nested = scope.hrtimer(move |_| {
                    fired.fetch_add(1, SeqCst);
                    Restart::No
                })?;
                timer.start(0.nanos())?;
                nested.start(0.nanos())?;
                common::until(scope, || fired.load(SeqCst) == 2);
                Ok::<(), Error>(())
            });
            assert_eq!(nested, Ok(()));
        })
    });
}

fn a_hook_may_sleep_and_callbacks_run_meanwhile<P: TestPlatform>() {
    run_on(&Metered::<P>::fresh(), |scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |t| {
            fired.fetch_add(1, SeqCst);
            t.forward(1.millis())
        })?;
        timer.start(0.nanos())?;
        let platform = scope.platform();
        scope.on_remove(move |cx| {
            let before = fired.load(SeqCst);
            while fired.load(SeqCst) < before + 3 {
                platform.sleep(cx, 1.millis());
            }
        })
    });
}

fn nothing_runs_after_the_teardown<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let fired = AtomicU32::new(0);
    platform
        .lend_sleep(|cx| {
            enter(platform.clone(), cx, &fired, |fired, scope| {
                for i in 0..20 {
                    let timer = scope.hrtimer(move |t| {
                        fired.fetch_add(1, SeqCst);
                        t.restart_after(50.micros())
                    })?;
                    timer.start((i * 10).micros())?;
                }
                common::until(scope, || fired.load(SeqCst) > 40);
                Ok::<(), Error>(())
            })
        })
        .unwrap();
    let ended = fired.load(SeqCst);
    platform.lend_sleep(|cx| platform.sleep(cx, 5.millis()));
    assert_eq!(fired.load(SeqCst), ended);
    platform.assert_at_rest();
}
