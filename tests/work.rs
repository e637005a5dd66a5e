//! Work behaves alike on every platform: `Host`, `Sim`, and one that stands on somebody else's C library. Models of its races are in
//! `tests/loom`.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

use common::{leaked_on_purpose, on_purpose, quiet, run, run_on, until, wait_until, Log, Metered};
use common::{Note, Smuggled, TestPlatform};
use driver_scope::event::Kind;
use driver_scope::platform::{Platform, Sim};
use driver_scope::{
    enter, Binding, Busy, Driver, DriverScope, Error, Instant, Lock, Once, Port, Restart,
    TryCancel, Units, Work,
};

mod common;

#[path = "work/callbacks.rs"]
mod callbacks;
#[path = "work/ends.rs"]
mod ends;
#[path = "work/waits.rs"]
mod waits;

on_every_platform!(
    queued_twice_it_runs_once,
    queued_while_it_runs_it_runs_again,
    work_runs_in_the_order_in_which_it_was_queued,
    work_is_delayed,
    a_delay_is_moved,
    a_delay_beyond_the_clock_is_refused,
    work_never_runs_on_the_callers_stack,
    what_cannot_be_is_refused,
    work_is_queued_from_anywhere_once,
    work_tells_what_it_is_doing,
    work_that_panics_is_stopped,
    work_sleeps,
    work_that_sleeps_holds_up_no_timer,
    work_may_wait_for_timers,
);

/// For what should not be called in this test.
const NEVER: u64 = 3600;

/// Work that counts its runs.
fn counts<'drv, P: Platform>(
    scope: &DriverScope<'drv, P>,
) -> Result<(Work<'drv, P>, &'drv AtomicU32), Error> {
    let runs = scope.own(AtomicU32::new(0))?;
    let work = scope.work(move |_| {
        runs.fetch_add(1, SeqCst);
        Restart::No
    })?;
    Ok((work, runs))
}

/// Work that waits, in real time, for the gate to be opened, after it has told that it runs.
fn waits<'drv, P: Platform>(
    scope: &DriverScope<'drv, P>,
) -> Result<(Work<'drv, P>, &'drv AtomicBool, &'drv AtomicBool), Error> {
    let inside = scope.own(AtomicBool::new(false))?;
    let gate = scope.own(AtomicBool::new(false))?;
    let work = scope.work(move |_| {
        inside.store(true, SeqCst);
        wait_until(|| gate.load(SeqCst));
        Restart::No
    })?;
    Ok((work, inside, gate))
}

fn queued_twice_it_runs_once<P: TestPlatform>() {
    run::<P>(|scope| {
        let (work, runs) = counts(scope)?;
        // Behind work that holds it up, or it might have run already.
        let (first, inside, gate) = waits(scope)?;
        scope.platform().meanwhile(|| {
            assert_eq!(first.queue(), Ok(true));
            wait_until(|| inside.load(SeqCst));
            assert_eq!(work.queue(), Ok(true));
            assert!(work.is_pending() && !work.is_running());
            assert_eq!(work.queue(), Ok(false));
            assert_eq!(work.queue_after(NEVER.secs()), Ok(false));
            gate.store(true, SeqCst);
            wait_until(|| runs.load(SeqCst) == 1);
        });
        scope.sleep(2.millis());
        assert_eq!(runs.load(SeqCst), 1);
        assert!(!work.is_pending());
        // And again.
        assert_eq!(work.queue(), Ok(true));
        until(scope, || runs.load(SeqCst) == 2);
        Ok(())
    });
}

fn queued_while_it_runs_it_runs_again<P: TestPlatform>() {
    run::<P>(|scope| {
        let runs = scope.own(AtomicU32::new(0))?;
        let gate = scope.own(AtomicBool::new(false))?;
        let work = scope.work(move |_| {
            runs.fetch_add(1, SeqCst);
            wait_until(|| gate.load(SeqCst));
            Restart::No
        })?;
        scope.platform().meanwhile(|| {
            work.queue().unwrap();
            wait_until(|| runs.load(SeqCst) == 1);
            assert!(work.is_running() && !work.is_pending());
            assert_eq!(work.queue(), Ok(true));
            assert!(work.is_running() && work.is_pending());
            assert_eq!(work.queue(), Ok(false));
            gate.store(true, SeqCst);
            wait_until(|| runs.load(SeqCst) == 2);
        });
        scope.sleep(2.millis());
        assert_eq!(runs.load(SeqCst), 2);
        Ok(())
    });
}

fn work_runs_in_the_order_in_which_it_was_queued<P: TestPlatform>() {
    run::<P>(|scope| {
        let order = scope.own(Mutex::new(Vec::new()))?;
        let (first, inside, gate) = waits(scope)?;
        let works: Vec<_> = (0..10)
            .map(|number| {
                scope.work(move |_| {
                    order.lock().unwrap().push(number);
                    Restart::No
                })
            })
            .collect::<Result<_, _>>()?;
        let expected = [7, 3, 9, 0, 1, 8, 2, 6, 4, 5];
        scope.platform().meanwhile(|| {
            first.queue().unwrap();
            wait_until(|| inside.load(SeqCst));
            for number in expected {
                works[number].queue().unwrap();
                // Changes nothing, its place neither.
                works[expected[0]].queue().unwrap();
            }
            gate.store(true, SeqCst);
            wait_until(|| order.lock().unwrap().len() == 10);
        });
        assert_eq!(*order.lock().unwrap(), expected);
        Ok(())
    });
}

fn work_is_delayed<P: TestPlatform>() {
    // Longer than a loaded machine takes for two calls.
    const DELAY: core::time::Duration = core::time::Duration::from_millis(100);
    run::<P>(|scope| {
        let seen = scope.own(Once::new())?;
        let work = scope.work(move |w| {
            assert!(seen.set((w.queued_for(), w.now())).is_ok());
            Restart::No
        })?;
        let begin = scope.now();
        assert_eq!(work.queue_after(DELAY), Ok(true));
        assert_eq!(work.queue(), Ok(false));
        until(scope, || seen.get().is_some());
        let (queued_for, now) = *seen.get().unwrap();
        assert!(queued_for >= begin.saturating_add(DELAY) && now >= queued_for);
        if !P::REAL_TIME {
            assert_eq!((queued_for, now), (begin.saturating_add(DELAY), now));
        }
        Ok(())
    });
}

fn a_delay_is_moved<P: TestPlatform>() {
    run::<P>(|scope| {
        let (work, runs) = counts(scope)?;
        assert_eq!(work.requeue_after(NEVER.secs()), Ok(true));
        assert_eq!(work.requeue_after(1.millis()), Ok(false));
        until(scope, || runs.load(SeqCst) == 1);
        // Late enough to be moved before, also on a machine that is busy.
        work.queue_after(500.millis())?;
        assert_eq!(work.requeue_after(NEVER.secs()), Ok(false));
        scope.sleep(600.millis());
        assert_eq!(runs.load(SeqCst), 1);
        assert_eq!(work.try_cancel(), TryCancel::Cancelled);
        Ok(())
    });
}

fn a_delay_beyond_the_clock_is_refused<P: TestPlatform>() {
    run::<P>(|scope| {
        let (work, _) = counts(scope)?;
        let forever = core::time::Duration::MAX;
        assert_eq!(work.queue_after(forever), Err(Error::TimeOverflow));
        assert_eq!(work.requeue_after(forever), Err(Error::TimeOverflow));
        assert!(!work.is_pending());
        Ok(())
    });
}

fn work_never_runs_on_the_callers_stack<P: TestPlatform>() {
    thread_local!(static QUEUEING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    run::<P>(|scope| {
        let runs = scope.own(AtomicU32::new(0))?;
        let work = scope.work(move |_| {
            assert!(!QUEUEING.get());
            runs.fetch_add(1, SeqCst);
            Restart::No
        })?;
        QUEUEING.set(true);
        work.queue()?;
        work.requeue_after(0.nanos())?;
        QUEUEING.set(false);
        until(scope, || runs.load(SeqCst) > 0);
        Ok(())
    });
}

fn what_cannot_be_is_refused<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    run_on(&platform, |scope| {
        let runs = scope.own(AtomicU32::new(0))?;
        let work = scope.named("sleepy").work(move |w| {
            runs.fetch_add(1, SeqCst);
            w.requeue_after(core::time::Duration::MAX)
        })?;
        work.queue()?;
        until(scope, || runs.load(SeqCst) == 1);
        until(scope, || !work.is_running());
        assert!(!work.is_pending());
        Ok(())
    });
    let told = "enter: sleepy is not restarted: the instant lies beyond the clock's range";
    assert_eq!(platform.log().count(told), 1);
}

/// Of several that queue it at the same time, one is told that it was he.
fn work_is_queued_from_anywhere_once<P: TestPlatform>() {
    run::<P>(|scope| {
        let (work, runs) = counts(scope)?;
        let (first, inside, gate) = waits(scope)?;
        scope.platform().meanwhile(|| {
            for round in 1..=50 {
                gate.store(false, SeqCst);
                inside.store(false, SeqCst);
                first.queue().unwrap();
                wait_until(|| inside.load(SeqCst));
                let newly = AtomicU32::new(0);
                thread::scope(|threads| {
                    for number in 0..3_u64 {
                        let newly = &newly;
                        threads.spawn(move || {
                            let queued = match number {
                                0 => work.queue(),
                                1 => work.queue_after(0.nanos()),
                                _ => work.requeue_after(0.nanos()),
                            };
                            newly.fetch_add(u32::from(queued.unwrap()), SeqCst);
                        });
                    }
                });
                assert_eq!(newly.load(SeqCst), 1);
                gate.store(true, SeqCst);
                wait_until(|| runs.load(SeqCst) == round);
            }
        });
        Ok(())
    });
}

fn work_tells_what_it_is_doing<P: TestPlatform>() {
    run::<P>(|scope| {
        let (work, inside, gate) = waits(scope)?;
        let named = scope.named("rare").work(|_| Restart::No)?;
        assert_eq!(named.name().label(), Some("rare"));
        assert!(work.name().location().file().ends_with("work.rs"));
        let told = |wanted: &str| {
            let mut found = false;
            scope.inspect(|item| {
                let text = item.to_string();
                if item.kind == Kind::Work && text.contains(wanted) {
                    assert!(item.timer().is_some());
                    found = true;
                }
            });
            found
        };
        assert!(told("work rare: idle; 0 runs"));
        named.queue_after(NEVER.secs())?;
        assert!(told("work rare: armed for "));
        assert!(format!("{named:?}").contains("armed: true"));
        scope.platform().meanwhile(|| {
            work.queue().unwrap();
            wait_until(|| inside.load(SeqCst));
            assert!(told(": running; 1 runs"));
            gate.store(true, SeqCst);
        });
        until(scope, || !work.is_running());
        Ok(())
    });
}

fn work_that_panics_is_stopped<P: TestPlatform>() {
    quiet();
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    run_on(&platform, |scope| {
        let (other, runs) = counts(scope)?;
        let (bad, vacant) = scope.named("bad").vacant_work()?;
        vacant.set(scope, move |_| {
            bad.queue_after(NEVER.secs()).unwrap();
            on_purpose("work")
        })?;
        bad.queue()?;
        until(scope, || bad.queue() == Err(Error::Panicked));
        until(scope, || !bad.is_running());
        assert!(!bad.is_pending());
        assert_eq!(bad.flush(scope.may_sleep()), Ok(false));
        other.queue()?;
        until(scope, || runs.load(SeqCst) == 1);
        Ok(())
    });
    assert_eq!(platform.log().count("enter: bad panicked"), 1);
}

fn work_sleeps<P: TestPlatform>() {
    run::<P>(|scope| {
        let seen = scope.own(Once::new())?;
        let work = scope.work(move |w| {
            let begun = w.now();
            w.sleep(2.millis());
            w.sleep(1.millis());
            assert!(seen.set((begun, w.now())).is_ok());
            Restart::No
        })?;
        work.queue()?;
        until(scope, || seen.get().is_some());
        let (begun, ended) = *seen.get().unwrap();
        assert!(ended >= begun.saturating_add(3.millis()));
        Ok(())
    });
}

fn work_that_sleeps_holds_up_no_timer<P: TestPlatform>() {
    run::<P>(|scope| {
        let ticks = scope.own(AtomicU32::new(0))?;
        let seen = scope.own(Once::new())?;
        let timer = scope.hrtimer(move |t| {
            ticks.fetch_add(1, SeqCst);
            t.forward(1.millis())
        })?;
        timer.start(1.millis())?;
        let work = scope.work(move |w| {
            let before = ticks.load(SeqCst);
            for _ in 0..100_000 {
                if ticks.load(SeqCst) >= before + 5 {
                    break;
                }
                w.sleep(1.millis());
            }
            assert!(seen.set(ticks.load(SeqCst) - before).is_ok());
            Restart::No
        })?;
        work.queue()?;
        until(scope, || seen.get().is_some());
        assert!(*seen.get().unwrap() >= 5);
        Ok(())
    });
}

fn work_may_wait_for_timers<P: TestPlatform>() {
    run::<P>(|scope| {
        let cancelled = scope.own(Once::new())?;
        let ticks = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |t| {
            ticks.fetch_add(1, SeqCst);
            t.restart_after(0.nanos())
        })?;
        let work = scope.work(move |w| {
            assert_eq!(timer.cancel(w.may_sleep()), Ok(true));
            assert!(!timer.is_active());
            assert!(cancelled.set(()).is_ok());
            Restart::No
        })?;
        if P::REAL_TIME {
            timer.start(0.nanos())?;
        } else {
            // That timer would keep its time from passing.
            timer.start(NEVER.secs())?;
        }
        work.queue()?;
        until(scope, || cancelled.get().is_some());
        Ok(())
    });
}

#[test]
fn work_is_refused_where_there_is_none() {
    let platform = Metered::around(Sim::new());
    run_on(&platform, |scope| {
        let meter = scope.platform().meter();
        meter.refuse_timers.store(true, SeqCst);
        let captured = platform.log().note("captured");
        let refused = scope.work(move |_| {
            let _ = &captured;
            Restart::No
        });
        assert_eq!(refused.map(|_| ()), Err(Error::Platform(-11)));
        assert_eq!(platform.log().count("drop captured"), 1);
        assert_eq!(scope.vacant_work().map(|_| ()), Err(Error::Platform(-11)));
        meter.refuse_timers.store(false, SeqCst);
        let (work, runs) = counts(scope)?;
        work.queue()?;
        until(scope, || runs.load(SeqCst) == 1);
        Ok(())
    });
}

#[test]
fn work_of_sim_comes_after_the_timers_of_its_instant() {
    let log = Log::default();
    run::<Sim>(|scope| {
        let line = |what: &'static str| {
            let log = log.clone();
            move || log.add(what)
        };
        let (work, timer, late) = (line("work"), line("timer"), line("late work"));
        let work = scope.work(move |w| {
            work();
            w.sleep(5.millis());
            Restart::No
        })?;
        let timer = scope.hrtimer(move |_| {
            timer();
            Restart::No
        })?;
        let late = scope.work(move |_| {
            late();
            Restart::No
        })?;
        work.queue_after(1.millis())?;
        late.queue_after(2.millis())?;
        timer.start(1.millis())?;
        let inner = scope.platform().inner();
        // Work that is due before the end is called, though it has become late; the work before it took until 6 ms.
        inner.advance(3.millis());
        assert_eq!(inner.now(), Instant::from_nanos(6_000_000));
        assert_eq!(log.lines(), ["timer", "work", "late work"]);
        // What has become due meanwhile, but not until the end, waits for the next time.
        Ok(())
    });
}
