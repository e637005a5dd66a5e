//! Cancelling, with and without a wait, from outside and from the callback.

use super::*;

on_every_platform!(
    try_cancel_tells_every_state,
    try_cancel_in_the_own_callback_undoes_a_start,
    cancel_waits_for_the_callback_and_undoes_its_restart,
    cancel_undoes_a_start_by_the_callback,
    cancel_ends_a_timer_that_restarts_at_once,
);

fn try_cancel_tells_every_state<P: TestPlatform>() {
    run::<P>(|scope| {
        let gate = scope.own(Gate::default())?;
        let timer = scope.hrtimer(move |_| {
            gate.pass();
            Restart::No
        })?;
        assert_eq!(timer.try_cancel(), TryCancel::Idle);
        timer.start(NEVER.secs())?;
        assert_eq!(timer.try_cancel(), TryCancel::Cancelled);
        assert_eq!(timer.try_cancel(), TryCancel::Idle);
        assert!(!timer.is_active());
        scope.platform().meanwhile(|| {
            timer.start(0.nanos())?;
            wait_until(|| gate.inside.load(SeqCst));
            assert_eq!(timer.try_cancel(), TryCancel::Running);
            assert!(timer.is_active());
            gate.open.store(true, SeqCst);
            wait_until(|| !timer.is_active());
            assert_eq!(timer.try_cancel(), TryCancel::Idle);
            Ok(())
        })
    });
}

fn try_cancel_in_the_own_callback_undoes_a_start<P: TestPlatform>() {
    run::<P>(|scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let (timer, vacant) = scope.vacant_hrtimer()?;
        vacant.set(scope, move |_| {
            timer.start(0.nanos()).unwrap();
            assert_eq!(timer.try_cancel(), TryCancel::Running);
            assert_eq!(timer.remaining(), None);
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;
        timer.start(0.nanos())?;
        until(scope, || fired.load(SeqCst) == 1 && !timer.is_active());
        scope.sleep(2.millis());
        assert_eq!(fired.load(SeqCst), 1);
        Ok(())
    });
}

fn cancel_waits_for_the_callback_and_undoes_its_restart<P: TestPlatform>() {
    run::<P>(|scope| {
        let gate = scope.own(Gate::default())?;
        let timer = scope.hrtimer(move |t| {
            gate.pass();
            t.restart_after(0.nanos())
        })?;
        scope.platform().meanwhile(|| {
            timer.start(0.nanos())?;
            wait_until(|| gate.inside.load(SeqCst));
            let cancelled = gate.open_soon(|| {
                let cancelled = timer.cancel(scope.may_sleep());
                assert!(!gate.inside.load(SeqCst));
                assert!(!timer.is_active());
                cancelled
            });
            assert_eq!(cancelled, Ok(true));
            let passed = gate.passed.load(SeqCst);
            assert!(passed > 0);
            thread::sleep(3.millis());
            assert_eq!(gate.passed.load(SeqCst), passed);
            assert_eq!(timer.cancel(scope.may_sleep()), Ok(false));
            // It can be started again.
            timer.start(0.nanos())?;
            wait_until(|| gate.passed.load(SeqCst) > passed);
            assert_eq!(timer.cancel(scope.may_sleep()), Ok(true));
            Ok(())
        })
    });
}

fn cancel_undoes_a_start_by_the_callback<P: TestPlatform>() {
    run::<P>(|scope| {
        let gate = scope.own(Gate::default())?;
        let (timer, vacant) = scope.vacant_hrtimer()?;
        vacant.set(scope, move |_| {
            gate.pass();
            timer.start(NEVER.secs()).unwrap();
            Restart::No
        })?;
        scope.platform().meanwhile(|| {
            timer.start(0.nanos())?;
            wait_until(|| gate.inside.load(SeqCst));
            let cancelled = gate.open_soon(|| timer.cancel(scope.may_sleep()));
            assert_eq!(cancelled, Ok(true));
            assert!(!timer.is_active());
            assert_eq!(gate.passed.load(SeqCst), 1);
            Ok(())
        })
    });
}

fn cancel_ends_a_timer_that_restarts_at_once<P: TestPlatform>() {
    /// As often as this it is not by chance that the cancel has not got through.
    const ENDLESS: u32 = 2000;
    run::<P>(|scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |t| {
            thread::sleep(200.micros());
            if fired.fetch_add(1, SeqCst) == ENDLESS {
                return Restart::No;
            }
            t.restart_after(0.nanos())
        })?;
        scope.platform().meanwhile(|| {
            timer.start(0.nanos())?;
            wait_until(|| fired.load(SeqCst) > 3);
            assert_eq!(timer.cancel(scope.may_sleep()), Ok(true));
            assert!(fired.load(SeqCst) < ENDLESS);
            assert!(!timer.is_active());
            Ok(())
        })
    });
}

/// A wait that lasts is reported, with the name of what is waited for.
fn a_wait_that_lasts_is_reported<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.meanwhile(|| {
        run_on(&platform, |scope| {
            let log = platform.log();
            let inside = scope.own(AtomicBool::new(false))?;
            let timer = scope.named("slow").hrtimer(move |_| {
                inside.store(true, SeqCst);
                wait_until(|| log.count("enter: still waiting for slow") > 0);
                Restart::No
            })?;
            timer.start(0.nanos())?;
            wait_until(|| inside.load(SeqCst));
            assert_eq!(timer.cancel(scope.may_sleep()), Ok(true));
            Ok(())
        });
    });
}

#[test]
fn a_wait_that_lasts_is_reported_by_host() {
    a_wait_that_lasts_is_reported::<Host>();
}

#[test]
fn a_wait_that_lasts_is_reported_by_sim() {
    a_wait_that_lasts_is_reported::<Sim>();
}
