//! Timers behave alike on every platform: `Host`, `Sim`, and one that stands on somebody else's C library.
//!
//! Seen to fail without: the mark that a callback runs; its note of another expiry; `Arm::IfIdle`; a cancel's wait, and its hold on
//! restarts meanwhile; a shut's wait; the order of equals.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::Arc;
use std::thread;

use common::{run, run_on, until, wait_until, Foreign, Metered, TestPlatform};
use driver_scope::platform::{Host, Sim};
use driver_scope::{Error, HrTimer, Instant, Lock, Once, Restart, TryCancel, Units};

mod common;

on_every_platform!(
    a_timer_fires_once,
    a_timer_fires_periodically_without_drift,
    a_timer_is_started_for_an_instant,
    the_past_and_zero_mean_at_once_but_not_on_the_callers_stack,
    an_expiry_beyond_the_clock_is_refused,
    a_start_replaces_the_last,
    a_restart_is_for_the_same_instant,
    forward_from_outside_counts_periods,
    forward_in_the_callback_counts_overruns,
    a_zero_period_is_refused,
    a_timer_never_started_is_idle,
    try_cancel_tells_every_state,
    try_cancel_in_the_own_callback_undoes_a_start,
    cancel_waits_for_the_callback_and_undoes_its_restart,
    cancel_undoes_a_start_by_the_callback,
    cancel_ends_a_timer_that_restarts_at_once,
    a_callback_starts_its_own_timer,
    a_start_during_the_callback_wins_over_the_restart_returned,
    a_callback_starts_and_cancels_another_timer,
    vacant_timers_start_each_other,
    a_vacant_timer_cannot_be_started,
    a_timer_tells_what_it_is_doing,
    a_callback_keeps_state,
    a_callback_never_runs_beside_itself,
    expiry_is_in_order_and_ties_in_order_of_start,
    many_timers_all_fire,
    a_timer_has_a_name,
    a_timer_that_the_platform_lacks_is_refused,
    the_end_of_the_scope_cancels_and_waits,
);

/// What a timer started by a callback waits for, where it should not expire in this test.
const NEVER: u64 = 3600;

fn a_timer_fires_once<P: TestPlatform>() {
    run::<P>(|scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |_| {
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;
        let begin = scope.now();
        timer.start(2.millis())?;
        until(scope, || fired.load(SeqCst) > 0);
        assert!(scope.now() >= begin.saturating_add(2.millis()));
        scope.sleep(5.millis());
        assert_eq!(fired.load(SeqCst), 1);
        // And again.
        timer.start(1.millis())?;
        until(scope, || fired.load(SeqCst) == 2);
        Ok(())
    });
}

fn a_timer_fires_periodically_without_drift<P: TestPlatform>() {
    run::<P>(|scope| {
        let expiries = scope.own(Lock::<_, Metered<P>>::new(Vec::new()))?;
        let timer = scope.hrtimer(move |t| {
            let mut expiries = expiries.lock();
            // Never early.
            assert!(t.now() >= t.expires());
            expiries.push(t.expires());
            if expiries.len() == 5 {
                Restart::No
            } else {
                t.forward(1.millis())
            }
        })?;
        let begin = scope.now();
        timer.start_at(begin)?;
        until(scope, || expiries.lock().len() == 5);
        let expiries = expiries.lock();
        assert_eq!(expiries[0], begin);
        for pair in expiries.windows(2) {
            let gap = pair[1].saturating_duration_since(pair[0]).as_nanos();
            assert!(gap > 0 && gap % 1_000_000 == 0, "{expiries:?}");
        }
        Ok(())
    });
}

fn a_timer_is_started_for_an_instant<P: TestPlatform>() {
    run::<P>(|scope| {
        let seen = scope.own(Once::new())?;
        let timer = scope.hrtimer(move |t| {
            assert!(seen.set((t.expires(), t.now(), t.overrun())).is_ok());
            Restart::No
        })?;
        let at = scope.now().saturating_add(3.millis());
        timer.start_at(at)?;
        assert_eq!(timer.expires(), Some(at));
        until(scope, || seen.get().is_some());
        let (expires, now, overrun) = *seen.get().unwrap();
        assert_eq!((expires, overrun), (at, 0));
        assert!(now >= at);
        Ok(())
    });
}

fn the_past_and_zero_mean_at_once_but_not_on_the_callers_stack<P: TestPlatform>() {
    thread_local!(static STARTING: Cell<bool> = const { Cell::new(false) });
    run::<P>(|scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |_| {
            assert!(!STARTING.get());
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;
        scope.sleep(1.millis());
        let starts: [&dyn Fn() -> Result<(), Error>; 3] = [
            &|| timer.start(0.nanos()),
            &|| timer.start_at(Instant::ZERO),
            &|| timer.start_at(scope.now()),
        ];
        for (before, start) in starts.iter().enumerate() {
            STARTING.set(true);
            start()?;
            STARTING.set(false);
            until(scope, || fired.load(SeqCst) as usize > before);
        }
        Ok(())
    });
}

fn an_expiry_beyond_the_clock_is_refused<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    run_on(&platform, |scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope
            .named("endless")
            .hrtimer(move |t| match fired.fetch_add(1, SeqCst) {
                0 => t.restart_after(std::time::Duration::MAX),
                _ => t.forward(std::time::Duration::MAX),
            })?;
        assert_eq!(
            timer.start(std::time::Duration::MAX),
            Err(Error::TimeOverflow)
        );
        assert!(!timer.is_active());
        assert_eq!(timer.expires(), None);
        for round in 1..=2 {
            timer.start(0.nanos())?;
            until(scope, || fired.load(SeqCst) == round && !timer.is_active());
        }
        assert_eq!(
            timer.forward(std::time::Duration::MAX),
            Err(Error::TimeOverflow)
        );
        // The last instant there is can be named; it will not come.
        timer.start_at(Instant::MAX)?;
        assert_eq!(timer.expires(), Some(Instant::MAX));
        Ok(())
    });
    let refused = "enter: endless is not restarted: the instant lies beyond the clock's range";
    assert_eq!(platform.log().count(refused), 2);
}

fn a_start_replaces_the_last<P: TestPlatform>() {
    run::<P>(|scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let done = scope.own(AtomicBool::new(false))?;
        let timer = scope.hrtimer(move |_| {
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;
        let at = scope.now().saturating_add(NEVER.secs());
        // In a callback, so that the first does not expire before the second start, however slow the machine.
        let start = scope.hrtimer(move |_| {
            timer.start(0.nanos()).unwrap();
            timer.start_at(at).unwrap();
            done.store(true, SeqCst);
            Restart::No
        })?;
        start.start(0.nanos())?;
        until(scope, || done.load(SeqCst));
        assert_eq!(timer.expires(), Some(at));
        scope.sleep(3.millis());
        assert_eq!(fired.load(SeqCst), 0);
        timer.start(1.millis())?;
        until(scope, || fired.load(SeqCst) == 1 && !timer.is_active());
        Ok(())
    });
}

fn a_restart_is_for_the_same_instant<P: TestPlatform>() {
    run::<P>(|scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |_| {
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;
        assert_eq!(timer.restart(), Err(Error::NeverStarted));
        timer.start(1.millis())?;
        let at = timer.expires();
        until(scope, || fired.load(SeqCst) == 1 && !timer.is_active());
        timer.restart()?;
        assert_eq!(timer.expires(), at);
        until(scope, || fired.load(SeqCst) == 2 && !timer.is_active());
        // After a cancel, too.
        timer.start(NEVER.secs())?;
        let at = timer.expires();
        assert_eq!(timer.try_cancel(), TryCancel::Cancelled);
        timer.restart()?;
        assert_eq!(timer.expires(), at);
        assert!(timer.is_active());
        Ok(())
    });
}

fn forward_from_outside_counts_periods<P: TestPlatform>() {
    run::<P>(|scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |_| {
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;
        assert_eq!(timer.forward(1.millis()), Err(Error::NeverStarted));
        let begin = scope.now();
        timer.start_at(begin)?;
        until(scope, || fired.load(SeqCst) == 1 && !timer.is_active());
        assert_eq!(timer.forward(0.nanos()), Err(Error::ZeroPeriod));
        scope.sleep(5.millis());
        let before = scope.now();
        let periods = timer.forward(2.secs())?;
        let expires = timer.expires().unwrap();
        assert!(periods >= 1 && expires > before);
        assert_eq!(
            expires.saturating_duration_since(begin),
            (2 * periods).secs()
        );
        if !P::REAL_TIME {
            assert_eq!(periods, 1);
        }
        // In the future: it stays.
        timer.start(NEVER.secs())?;
        let expires = timer.expires();
        assert_eq!(timer.forward(1.millis()), Ok(0));
        assert_eq!(timer.expires(), expires);
        Ok(())
    });
}

fn forward_in_the_callback_counts_overruns<P: TestPlatform>() {
    run::<P>(|scope| {
        let seen = scope.own(Once::new())?;
        let timer = scope.hrtimer(move |t| {
            let now = t.now();
            let next = t.forward(1.millis());
            let _ = seen.set((t.expires(), now, t.overrun(), next));
            next
        })?;
        scope.sleep(20.millis());
        // Ten periods and a half late at least.
        timer.start_at(Instant::from_nanos(scope.now().as_nanos() - 10_500_000))?;
        until(scope, || seen.get().is_some());
        assert_eq!(timer.cancel(scope.may_sleep()), Ok(true));
        let &(expires, now, overrun, next) = seen.get().unwrap();
        let Restart::At(next) = next else {
            panic!("{next:?}")
        };
        assert!(overrun >= 10 && next > now);
        assert_eq!(
            next.saturating_duration_since(expires),
            (overrun + 1).millis()
        );
        if !P::REAL_TIME {
            assert_eq!(overrun, 10);
        }
        Ok(())
    });
}

fn a_zero_period_is_refused<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    run_on(&platform, |scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope.named("mad").hrtimer(move |t| {
            fired.fetch_add(1, SeqCst);
            t.forward(0.nanos())
        })?;
        timer.start(0.nanos())?;
        until(scope, || fired.load(SeqCst) == 1 && !timer.is_active());
        scope.sleep(2.millis());
        assert_eq!(fired.load(SeqCst), 1);
        // It is stopped, not broken.
        timer.start(0.nanos())?;
        until(scope, || fired.load(SeqCst) == 2);
        Ok(())
    });
    let refused = "enter: mad is not restarted: the period is zero";
    assert_eq!(platform.log().count(refused), 2);
}

fn a_timer_never_started_is_idle<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    run_on(&platform, |scope| {
        let timer = scope.named("idle").hrtimer(|_| Restart::No)?;
        assert!(!timer.is_active());
        assert_eq!(timer.expires(), None);
        assert_eq!(timer.remaining(), None);
        assert_eq!(timer.try_cancel(), TryCancel::Idle);
        assert_eq!(timer.cancel(scope.may_sleep()), Ok(false));
        Ok(())
    });
    assert_eq!(platform.log().count("enter: hrtimer idle: was idle"), 1);
}

/// A callback that tells when it runs, and ends when it is let.
#[derive(Default)]
struct Gate {
    inside: AtomicBool,
    open: AtomicBool,
    passed: AtomicU32,
}

impl Gate {
    fn pass(&self) {
        self.inside.store(true, SeqCst);
        wait_until(|| self.open.load(SeqCst));
        self.passed.fetch_add(1, SeqCst);
        self.inside.store(false, SeqCst);
    }

    /// Opens it a while after the call, so that whoever waits is most likely waiting already.
    fn open_soon<R>(&self, meanwhile: impl FnOnce() -> R) -> R {
        thread::scope(|threads| {
            threads.spawn(|| {
                thread::sleep(5.millis());
                self.open.store(true, SeqCst);
            });
            meanwhile()
        })
    }
}

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

fn a_callback_starts_its_own_timer<P: TestPlatform>() {
    run::<P>(|scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let (timer, vacant) = scope.vacant_hrtimer()?;
        vacant.set(scope, move |_| {
            if fired.fetch_add(1, SeqCst) < 3 {
                timer.start(100.micros()).unwrap();
            }
            Restart::No
        })?;
        timer.start(0.nanos())?;
        until(scope, || fired.load(SeqCst) == 4 && !timer.is_active());
        Ok(())
    });
}

fn a_start_during_the_callback_wins_over_the_restart_returned<P: TestPlatform>() {
    run::<P>(|scope| {
        // Started for later than the restart: it is not brought forward.
        let fired = scope.own(AtomicU32::new(0))?;
        let later = scope.now().saturating_add(NEVER.secs());
        let (timer, vacant) = scope.vacant_hrtimer()?;
        vacant.set(scope, move |t| {
            fired.fetch_add(1, SeqCst);
            timer.start_at(later).unwrap();
            t.restart_after(0.nanos())
        })?;
        timer.start(0.nanos())?;
        until(scope, || fired.load(SeqCst) == 1);
        assert_eq!(timer.expires(), Some(later));
        scope.sleep(3.millis());
        assert_eq!(fired.load(SeqCst), 1);

        // Started for earlier: it is not put off.
        let fired = scope.own(AtomicU32::new(0))?;
        let (timer, vacant) = scope.vacant_hrtimer()?;
        vacant.set(scope, move |t| {
            if fired.fetch_add(1, SeqCst) > 0 {
                return Restart::No;
            }
            timer.start(100.micros()).unwrap();
            t.restart_after(NEVER.secs())
        })?;
        timer.start(0.nanos())?;
        let patience = scope.now().saturating_add((NEVER / 2).secs());
        until(scope, || fired.load(SeqCst) == 2);
        assert!(scope.now() < patience);

        // A start elsewhere counts as well.
        let gate = scope.own(Gate::default())?;
        let timer = scope.hrtimer(move |t| {
            gate.pass();
            t.restart_after(0.nanos())
        })?;
        scope.platform().meanwhile(|| {
            timer.start(0.nanos())?;
            wait_until(|| gate.inside.load(SeqCst));
            timer.start_at(later)?;
            gate.open.store(true, SeqCst);
            wait_until(|| gate.passed.load(SeqCst) == 1 && !gate.inside.load(SeqCst));
            thread::sleep(2.millis());
            assert_eq!(timer.expires(), Some(later));
            assert_eq!(gate.passed.load(SeqCst), 1);
            Ok(())
        })
    });
}

fn a_callback_starts_and_cancels_another_timer<P: TestPlatform>() {
    run::<P>(|scope| {
        let started = scope.own(AtomicU32::new(0))?;
        let done = scope.own(AtomicU32::new(0))?;
        let cancelled = scope.hrtimer(|_| panic!("it was cancelled"))?;
        let other = scope.hrtimer(move |_| {
            started.fetch_add(1, SeqCst);
            Restart::No
        })?;
        let timer = scope.hrtimer(move |_| {
            other.start(100.micros()).unwrap();
            cancelled.start(NEVER.secs()).unwrap();
            assert_eq!(cancelled.try_cancel(), TryCancel::Cancelled);
            done.fetch_add(1, SeqCst);
            Restart::No
        })?;
        timer.start(0.nanos())?;
        until(scope, || {
            started.load(SeqCst) == 1 && done.load(SeqCst) == 1
        });
        assert!(!cancelled.is_active());
        Ok(())
    });
}

fn vacant_timers_start_each_other<P: TestPlatform>() {
    run::<P>(|scope| {
        let turns = scope.own(Lock::<_, Metered<P>>::new(Vec::new()))?;
        let (ping, ping_vacant) = scope.vacant_hrtimer()?;
        let (pong, pong_vacant) = scope.vacant_hrtimer()?;
        let turn = move |name: &'static str, next: HrTimer<'_, _>| {
            let mut turns = turns.lock();
            turns.push(name);
            if turns.len() < 6 {
                next.start(100.micros()).unwrap();
            }
            Restart::No
        };
        ping_vacant.set(scope, move |_| turn("ping", pong))?;
        pong_vacant.set(scope, move |_| turn("pong", ping))?;
        ping.start(0.nanos())?;
        until(scope, || turns.lock().len() == 6);
        assert_eq!(
            *turns.lock(),
            ["ping", "pong", "ping", "pong", "ping", "pong"]
        );
        Ok(())
    });
}

fn a_vacant_timer_cannot_be_started<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    run_on(&platform, |scope| {
        let (timer, vacant) = scope.named("empty").vacant_hrtimer()?;
        assert_eq!(timer.start(0.nanos()), Err(Error::Vacant));
        assert_eq!(timer.start_at(Instant::ZERO), Err(Error::Vacant));
        assert_eq!(timer.restart(), Err(Error::NeverStarted));
        assert_eq!(timer.forward(1.millis()), Err(Error::NeverStarted));
        assert_eq!(timer.try_cancel(), TryCancel::Idle);
        assert_eq!(timer.cancel(scope.may_sleep()), Ok(false));
        assert!(!timer.is_active());
        drop(vacant);
        assert_eq!(timer.start(0.nanos()), Err(Error::Vacant));
        Ok(())
    });
    assert_eq!(platform.log().count("enter: hrtimer empty: was idle"), 1);
}

fn a_timer_tells_what_it_is_doing<P: TestPlatform>() {
    run::<P>(|scope| {
        let seen = scope.own(Once::new())?;
        let (timer, vacant) = scope.vacant_hrtimer()?;
        vacant.set(scope, move |_| {
            let _ = seen.set((timer.is_active(), timer.remaining(), timer.expires()));
            Restart::No
        })?;
        let before = scope.now();
        timer.start(NEVER.secs())?;
        let after = scope.now();
        assert!(timer.is_active());
        let expires = timer.expires().unwrap();
        assert!(expires >= before.saturating_add(NEVER.secs()));
        assert!(expires <= after.saturating_add(NEVER.secs()));
        let remaining = timer.remaining().unwrap();
        assert!(remaining <= NEVER.secs() && remaining > (NEVER / 2).secs());
        assert_eq!(timer.try_cancel(), TryCancel::Cancelled);
        assert!(!timer.is_active());
        assert_eq!((timer.remaining(), timer.expires()), (None, Some(expires)));

        timer.start(0.nanos())?;
        let expires = timer.expires();
        until(scope, || seen.get().is_some());
        // It runs, so it is active; it is not armed, so nothing remains.
        assert_eq!(*seen.get().unwrap(), (true, None, expires));
        until(scope, || !timer.is_active());
        Ok(())
    });
}

fn a_callback_keeps_state<P: TestPlatform>() {
    run::<P>(|scope| {
        let last = scope.own(AtomicU32::new(0))?;
        let mut state = String::new();
        let timer = scope.hrtimer(move |t| {
            state.push('x');
            last.store(state.len() as u32, SeqCst);
            if state.len() < 4 {
                t.restart_after(100.micros())
            } else {
                Restart::No
            }
        })?;
        timer.start(0.nanos())?;
        until(scope, || last.load(SeqCst) == 4);
        Ok(())
    });
}

fn a_callback_never_runs_beside_itself<P: TestPlatform>() {
    run::<P>(|scope| {
        let inside = scope.own(AtomicBool::new(false))?;
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |t| {
            assert!(!inside.swap(true, SeqCst));
            assert!(t.now() >= t.expires());
            thread::sleep(50.micros());
            inside.store(false, SeqCst);
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;
        scope.platform().meanwhile(|| {
            thread::scope(|threads| {
                for _ in 0..3 {
                    threads.spawn(|| {
                        for round in 0..100 {
                            timer.start(0.nanos()).unwrap();
                            if round % 3 == 0 {
                                timer.try_cancel();
                            }
                            thread::sleep(20.micros());
                        }
                    });
                }
            });
            // No wake-up is lost.
            wait_until(|| !timer.is_active());
            let before = fired.load(SeqCst);
            timer.start(0.nanos())?;
            wait_until(|| fired.load(SeqCst) > before);
            Ok(())
        })
    });
}

fn expiry_is_in_order_and_ties_in_order_of_start<P: TestPlatform>() {
    run::<P>(|scope| {
        let order = scope.own(Lock::<_, Metered<P>>::new(String::new()))?;
        let mut timers = Vec::new();
        for name in ['a', 'b', 'c', 'd', 'e'] {
            timers.push(scope.hrtimer(move |_| {
                order.lock().push(name);
                Restart::No
            })?);
        }
        // Started in a callback: none of them expires before all are started.
        let start = scope.hrtimer(move |_| {
            for (timer, at) in timers.iter().zip([30, 10, 20, 10, 0]) {
                timer.start_at(Instant::from_nanos(at)).unwrap();
            }
            // Moved to the end of its equals.
            timers[1].start_at(Instant::from_nanos(10)).unwrap();
            Restart::No
        })?;
        start.start(1.millis())?;
        until(scope, || order.lock().len() == 5);
        assert_eq!(*order.lock(), "edbca");
        Ok(())
    });
}

fn many_timers_all_fire<P: TestPlatform>() {
    const TIMERS: u64 = 300;
    run::<P>(|scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let mut cancelled = 0;
        for i in 0..TIMERS {
            let timer = scope.hrtimer(move |_| {
                fired.fetch_add(1, SeqCst);
                Restart::No
            })?;
            timer.start((i * 7919 % TIMERS * 10).micros())?;
            if i % 5 == 0 && timer.try_cancel() == TryCancel::Cancelled {
                cancelled += 1;
            }
        }
        until(scope, || fired.load(SeqCst) + cancelled == TIMERS as u32);
        scope.sleep(2.millis());
        assert_eq!(fired.load(SeqCst) + cancelled, TIMERS as u32);
        Ok(())
    });
}

fn a_timer_has_a_name<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    run_on(&platform, |scope| {
        let named = scope.named("poll").hrtimer(|_| Restart::No)?;
        assert_eq!(named.name().label(), Some("poll"));
        let here = line!() + 1;
        let unnamed = scope.hrtimer(|_| Restart::No)?;
        assert_eq!(unnamed.name().label(), None);
        assert_eq!(unnamed.name().location().line(), here);
        assert_eq!(unnamed.name().location().file(), file!());
        named.start(NEVER.secs())?;
        Ok(())
    });
    let lines = platform.log().lines();
    let cancelled = |line: &&String| {
        line.starts_with("enter: hrtimer poll: was armed for ") && line.ends_with(", cancelled")
    };
    assert_eq!(lines.iter().filter(cancelled).count(), 1, "{lines:?}");
}

fn a_timer_that_the_platform_lacks_is_refused<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    run_on(&platform, |scope| {
        let log = platform.log();
        let refuse = &platform.meter().refuse_timers;
        refuse.store(true, SeqCst);
        let note = log.note("callback");
        let refused = scope.hrtimer(move |_| {
            let _ = &note;
            Restart::No
        });
        assert_eq!(refused.err(), Some(Error::Platform(-11)));
        assert_eq!(log.count("drop callback"), 1);
        let refused = scope.vacant_hrtimer();
        assert_eq!(refused.err(), Some(Error::Platform(-11)));
        refuse.store(false, SeqCst);
        scope.hrtimer(|_| Restart::No)?.start(0.nanos())
    });
}

fn the_end_of_the_scope_cancels_and_waits<P: TestPlatform>() {
    // Outlives the scope, so that it can be seen that nothing runs on.
    let gate = Arc::new(Gate::default());
    let platform = Metered::<P>::fresh();
    platform.meanwhile(|| {
        run_on(&platform, |scope| {
            scope
                .named("armed")
                .hrtimer(|_| panic!("it was cancelled"))?
                .start(NEVER.secs())?;
            let running = scope.named("running").hrtimer({
                let gate = Arc::clone(&gate);
                move |t| {
                    gate.pass();
                    t.restart_after(0.nanos())
                }
            })?;
            running.start(0.nanos())?;
            wait_until(|| gate.inside.load(SeqCst));
            let gate = Arc::clone(&gate);
            scope.on_remove(move |_| {
                // Some time after the teardown has begun.
                thread::spawn(move || {
                    thread::sleep(5.millis());
                    gate.open.store(true, SeqCst);
                });
            })
        });
        let passed = gate.passed.load(SeqCst);
        assert!(passed > 0 && !gate.inside.load(SeqCst));
        thread::sleep(3.millis());
        assert_eq!(gate.passed.load(SeqCst), passed);
    });
    let log = platform.log();
    assert_eq!(
        log.count("enter: hrtimer running: was running, waited for"),
        1
    );
}

/// Two threads of a library call the entry of one timer at the same time; the callback does not notice, and none of it is lost.
#[test]
fn entries_beside_each_other_are_one_callback_after_the_other() {
    let foreign = Foreign::with_processors(2);
    let platform = Metered::around(foreign.clone());
    run_on(&platform, |scope| {
        let inside = scope.own(AtomicBool::new(false))?;
        let fired = scope.own(AtomicU32::new(0))?;
        let (timer, vacant) = scope.vacant_hrtimer()?;
        vacant.set(scope, {
            let foreign = foreign.clone();
            move |t| {
                assert!(!inside.swap(true, SeqCst));
                assert!(t.now() >= t.expires());
                if fired.load(SeqCst) == 0 {
                    timer.start(0.nanos()).unwrap();
                    // The other thread is in the entry, or has been.
                    wait_until(|| foreign.most_at_once() == 2);
                    thread::sleep(1.millis());
                }
                inside.store(false, SeqCst);
                fired.fetch_add(1, SeqCst);
                Restart::No
            }
        })?;
        timer.start(0.nanos())?;
        until(scope, || fired.load(SeqCst) == 2);
        until(scope, || !timer.is_active());
        scope.sleep(2.millis());
        assert_eq!(fired.load(SeqCst), 2);
        Ok(())
    });
}

/// The same, with a teardown that comes while both are inside.
#[test]
fn a_teardown_waits_for_all_entries_of_a_timer() {
    let foreign = Foreign::with_processors(2);
    let platform = Metered::around(foreign.clone());
    for _ in 0..20 {
        run_on(&platform, |scope| {
            let fired = scope.own(AtomicU32::new(0))?;
            let (timer, vacant) = scope.vacant_hrtimer()?;
            vacant.set(scope, move |t| {
                let _ = timer.start(0.nanos());
                fired.fetch_add(1, SeqCst);
                thread::sleep(100.micros());
                let _ = timer.start(0.nanos());
                t.restart_after(0.nanos())
            })?;
            timer.start(0.nanos())?;
            until(scope, || fired.load(SeqCst) > 5);
            Ok(())
        });
    }
    assert_eq!(foreign.most_at_once(), 2);
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
