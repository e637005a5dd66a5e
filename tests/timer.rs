//! Timers behave alike on every platform: `Host`, `Sim`, and one that stands on somebody else's C library.
//!
//! Seen to fail without: the mark that a callback runs; its note of another expiry; `Arm::IfIdle`; a cancel's wait, and its hold on
//! restarts meanwhile; a shut's wait; the order of equals.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::Arc;
use std::thread;

use common::{rounds, run, run_on, until, wait_until, Foreign, Metered, TestPlatform};
use driver_scope::platform::{Host, Sim};
use driver_scope::{Error, HrTimer, Instant, Lock, Once, Restart, TryCancel, Units};

mod common;

#[path = "timer/callbacks.rs"]
mod callbacks;
#[path = "timer/cancel.rs"]
mod cancel;
#[path = "timer/ends.rs"]
mod ends;
#[path = "timer/period.rs"]
mod period;

on_every_platform!(
    a_timer_fires_once,
    a_timer_is_started_for_an_instant,
    the_past_and_zero_mean_at_once_but_not_on_the_callers_stack,
    an_expiry_beyond_the_clock_is_refused,
    a_start_replaces_the_last,
    a_timer_never_started_is_idle,
    a_timer_tells_what_it_is_doing,
    expiry_is_in_order_and_ties_in_order_of_start,
    many_timers_all_fire,
    a_timer_has_a_name,
    a_timer_that_the_platform_lacks_is_refused,
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
    const TIMERS: u64 = rounds(300, 30);
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
