//! Destructors that run while a panic unwinds, and what a panic carries.

use std::panic::{catch_unwind, panic_any, resume_unwind, AssertUnwindSafe};
use std::sync::atomic::AtomicBool;

use super::*;
use driver_scope::{Plain, Work};

/// Tries everything that its handles can do.
struct UsesAll<'drv, P: TestPlatform> {
    timer: HrTimer<'drv, Metered<P>>,
    work: Work<'drv, Metered<P>>,
    owned: &'drv Note,
    log: Log,
}
impl<P: TestPlatform> Drop for UsesAll<'_, P> {
    fn drop(&mut self) {
        let started = self.timer.start(0.nanos());
        let queued = self.work.queue();
        let _ = (
            self.timer.try_cancel(),
            self.timer.remaining(),
            self.timer.restart(),
        );
        let _ = (
            self.work.try_cancel(),
            self.work.is_pending(),
            self.timer.forward(1.millis()),
        );
        self.owned.log().add("still there");
        self.log.add(format!("{started:?} {queued:?}"));
    }
}

pub fn a_destructor_uses_everything_while_unwinding<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let (log, count) = (platform.log(), Count::default());
    common::quiet();
    let caught = platform.lend_sleep(|cx| {
        catch_unwind(AssertUnwindSafe(|| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let uses = || {
                    let all = UsesAll {
                        timer: ticking(scope, &count)?,
                        work: scope.work(|_| Restart::No)?,
                        owned: scope.own(log.note("owned"))?,
                        log: log.clone(),
                    };
                    Ok::<_, Error>(all)
                };
                // Dropped by the teardown, with what a callback has captured.
                let captured = uses().unwrap();
                scope
                    .hrtimer(move |_| {
                        let _ = &captured;
                        Restart::No
                    })
                    .unwrap();
                // Dropped by the unwinding itself, before the teardown.
                let _local = uses().unwrap();
                panic_any(7)
            })
        }))
    });
    let caught: Result<(), _> = caught;
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&7));
    assert_eq!(log.count("still there"), 2);
    assert_eq!(log.count("Ok(()) Ok(true)"), 1);
    assert_eq!(log.count("Err(Closed) Err(Closed)"), 1);
    assert_eq!(log.count("drop owned"), 2);
    assert_still(&platform, &count);
    platform.assert_at_rest();
}

pub fn a_payload_carries_a_resource_out<P: TestPlatform>() {
    type Outside<P> = Devres<Plain<Note>, Metered<P>>;

    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let log = platform.log();
    common::quiet();
    let caught = platform.lend_sleep(|cx| {
        catch_unwind(AssertUnwindSafe(|| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let bound = scope.devres::<Plain<Note>>(log.note("resource")).unwrap();
                resume_unwind(Box::new(bound.devres()))
            })
        }))
    });
    let caught: Result<(), _> = caught;
    let outside = caught
        .unwrap_err()
        .downcast::<Outside<P>>()
        .expect("what was thrown");
    assert_eq!(log.count("drop resource"), 1);
    assert!(outside.try_access().is_none());
    drop(outside);
    platform.assert_at_rest();
}

pub fn handles_go_on_after_a_caught_panic<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let count = Count::default();
    common::quiet();
    run_on(&platform, |scope| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let timer = ticking(scope, &count).unwrap();
            std::mem::forget(timer);
            panic_any(())
        }));
        let caught: Result<(), _> = caught;
        assert!(caught.is_err());
        // What was made is the scope's, and so is what comes after.
        let before = count.load(SeqCst);
        until(scope, || count.load(SeqCst) > before + 2);
        ticking(scope, &count).map(drop)
    });
    assert_still(&platform, &count);
}

/// Knows whether it has been dropped.
struct Alive {
    values: Vec<u32>,
    alive: AtomicBool,
}
impl Alive {
    fn new() -> Self {
        Alive {
            values: vec![1; 100],
            alive: AtomicBool::new(true),
        }
    }
}
impl Drop for Alive {
    fn drop(&mut self) {
        self.alive.store(false, SeqCst);
    }
}

/// Looks at what it borrows when it is dropped.
struct Looks<'drv>(&'drv Alive, Log);
impl Drop for Looks<'_> {
    fn drop(&mut self) {
        // The sum is for AddressSanitizer.
        let (alive, sum) = (self.0.alive.load(SeqCst), self.0.values.iter().sum::<u32>());
        self.1.add(format!("alive: {alive}, {sum}"));
    }
}

pub fn captured_values_see_what_they_borrow_when_they_drop<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    run_on(&platform, |scope| {
        let looks = Looks(scope.own(Alive::new())?, log.clone());
        scope.hrtimer(move |_| {
            let _ = &looks;
            Restart::No
        })?;
        // Owned after a callback was registered, so dropped before it if all went newest first.
        let looks = Looks(scope.own(Alive::new())?, log.clone());
        scope.work(move |_| {
            let _ = &looks;
            Restart::No
        })?;
        Ok(())
    });
    assert_eq!(log.count("alive: true, 100"), 2);
}
