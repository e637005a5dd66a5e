//! Whatever is forgotten, leaked or caught in a cycle, a scope ends all the same.
//!
//! Seen to fail without the release of the scope's memory.
#![allow(clippy::forget_non_drop)] // That it changes nothing is what is tested.

use std::cell::RefCell;
use std::mem::{self, ManuallyDrop};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use common::{leaked_on_purpose, memory_region, run_on, until, Log, Metered, Note, TestPlatform};
use driver_scope::platform::Region;
use driver_scope::{
    enter, Binding, Driver, DriverScope, Error, HrTimer, Lock, Mmio, Platform, Registers, Restart,
    Units, Vacant,
};

mod common;

on_every_platform!(
    forgotten_handles_change_nothing,
    boxed_and_leaked_handles_change_nothing,
    handles_in_a_cycle_change_nothing,
    a_leaked_vacant_is_a_timer_that_never_runs,
    a_forgotten_lock_guard_does_not_stop_the_teardown,
    a_callback_that_holds_its_own_handle_is_dropped,
    a_leaked_binding_stays_bound,
);

enum Regs {}
impl Registers for Regs {
    const SIZE: usize = 4;
}

/// Everything that a scope gives out.
struct Handles<'drv, P: Platform> {
    timer: HrTimer<'drv, P>,
    _regs: Mmio<'drv, Regs, P>,
    owned: &'drv Note,
    _vacant: Vacant<'drv, P>,
    _allocated: &'drv [u64; 4],
}

fn make<'drv, P: TestPlatform>(
    log: &Log,
    region: &Region,
    scope: &DriverScope<'drv, P>,
) -> Result<Handles<'drv, P>, Error> {
    let captured = log.note("captured");
    let timer = scope.hrtimer(move |t| {
        captured.log().add("tick");
        t.restart_after(100.micros())
    })?;
    timer.start(0.nanos())?;
    let (_, _vacant) = scope.vacant_hrtimer()?;
    Ok(Handles {
        timer,
        _regs: scope.map(region)?,
        owned: scope.own(log.note("owned"))?,
        _vacant,
        _allocated: scope.alloc([7; 4])?,
    })
}

/// Has `lose` lose the handles of a scope, and checks that the scope ends as if it had not.
fn loses<P: TestPlatform>(lose: impl for<'drv> FnOnce(Handles<'drv, Metered<P>>)) {
    let platform = Metered::<P>::fresh();
    let (log, region) = (platform.log(), memory_region(4));
    run_on(&platform, |scope| {
        let handles = make(&log, &region, scope)?;
        until(scope, || log.count("tick") > 2);
        assert!(handles.timer.is_active());
        lose(handles);
        let before = log.count("tick");
        until(scope, || log.count("tick") > before + 2);
        Ok(())
    });
    let ticks = log.count("tick");
    assert_eq!(log.count("drop captured"), 1);
    assert_eq!(log.count("drop owned"), 1);
    platform.lend_sleep(|cx| platform.sleep(cx, 3.millis()));
    assert_eq!(log.count("tick"), ticks);
    // The region is free again.
    run_on(&platform, |scope| scope.map::<Regs>(&region).map(drop));
}

fn forgotten_handles_change_nothing<P: TestPlatform>() {
    loses::<P>(|handles| mem::forget(handles));
    loses::<P>(|handles| {
        let _ = ManuallyDrop::new(handles);
    });
}

fn boxed_and_leaked_handles_change_nothing<P: TestPlatform>() {
    loses::<P>(|handles| {
        let leaked = leaked_on_purpose(handles);
        leaked.owned.log().add("still there");
    });
}

fn handles_in_a_cycle_change_nothing<P: TestPlatform>() {
    loses::<P>(|handles| {
        struct Cycle<T>(RefCell<Option<Rc<Cycle<T>>>>, T);
        let cycle = Rc::new(Cycle(RefCell::new(None), handles));
        *cycle.0.borrow_mut() = Some(Rc::clone(&cycle));
        cycle.1.owned.log().add("round");
    });
    loses::<P>(|handles| {
        struct Cycle<T>(Mutex<Option<Arc<Cycle<T>>>>, T);
        let cycle = Arc::new(Cycle(Mutex::new(None), handles));
        *cycle.0.lock().unwrap() = Some(Arc::clone(&cycle));
        cycle.1.owned.log().add("round");
    });
}

fn a_leaked_vacant_is_a_timer_that_never_runs<P: TestPlatform>() {
    run_on(&Metered::<P>::fresh(), |scope| {
        let (timer, vacant) = scope.vacant_hrtimer()?;
        mem::forget(vacant);
        assert_eq!(timer.start(0.nanos()), Err(Error::Vacant));
        Ok(())
    });
}

fn a_forgotten_lock_guard_does_not_stop_the_teardown<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    run_on(&platform, |scope| {
        let lock = scope.own(Lock::<_, Metered<P>>::new(log.note("locked")))?;
        mem::forget(lock.lock());
        Ok(())
    });
    assert_eq!(log.count("drop locked"), 1);
}

fn a_callback_that_holds_its_own_handle_is_dropped<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    run_on(&platform, |scope| {
        let (timer, vacant) = scope.vacant_hrtimer()?;
        let note = log.note("captured");
        vacant.set(scope, move |_| {
            note.log().add("tick");
            let _ = timer.start(100.micros());
            Restart::No
        })?;
        timer.start(0.nanos())?;
        until(scope, || log.count("tick") > 2);
        Ok(())
    });
    assert_eq!(log.count("drop captured"), 1);
}

struct Ticker;

impl<P: TestPlatform> Driver<P> for Ticker {
    type Device = (Log, Region, AtomicU32);
    type Data<'drv> = HrTimer<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        (log, region, ticks): &'drv Self::Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Self::Data<'drv>, Error> {
        // The callback uses what the binding owns.
        let timer = scope.hrtimer(move |t| {
            ticks.fetch_add(1, SeqCst);
            log.add("driver ticks");
            t.restart_after(100.micros())
        })?;
        timer.start(0.nanos())?;
        make(log, region, scope).map(|handles| handles.timer)
    }
}

fn a_leaked_binding_stays_bound<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (log, region) = (platform.log(), memory_region(4));
    let device = (log.clone(), region.clone(), AtomicU32::new(0));
    let binding = platform
        .lend_sleep(|cx| Binding::<Ticker, _>::bind(platform.clone(), device, cx))
        .map_err(|failed| failed.error)
        .unwrap();
    leaked_on_purpose(binding);
    platform
        .lend_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let before = log.count("driver ticks");
                until(scope, || log.count("driver ticks") > before + 3);
                // It has the region still.
                assert_eq!(scope.map::<Regs>(&region).err(), Some(Error::AlreadyMapped));
                Ok::<(), Error>(())
            })
        })
        .unwrap();
    assert_eq!(log.count("drop captured"), 0);
    assert!(platform.meter().live() > 0);
}
