//! Timers that need not be exact: they expire within their range, together where ranges overlap, and drift by nothing.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use common::{run, until, Metered, TestPlatform};
use driver_scope::platform::Sim;
use driver_scope::{Instant, Lock, Restart, Units};

mod common;

on_every_platform!(
    a_timer_with_a_slack_expires_in_its_range,
    a_periodic_timer_with_a_slack_does_not_drift,
    a_slack_ends_with_the_clock,
);

fn a_timer_with_a_slack_expires_in_its_range<P: TestPlatform>() {
    run::<P>(|scope| {
        let seen = scope.own(Lock::<_, Metered<P>>::new(Vec::new()))?;
        let timer = scope.hrtimer(move |t| {
            seen.lock().push((t.expires(), t.now()));
            Restart::No
        })?;
        for (round, slack) in [0, 1, 700, 3_000_000].into_iter().enumerate() {
            let at = scope.now().saturating_add(1.millis());
            timer.start_at_within(at, slack.nanos())?;
            assert_eq!(timer.expires(), Some(at));
            until(scope, || seen.lock().len() > round);
            let (expires, now) = seen.lock()[round];
            assert_eq!(expires, at);
            assert!(now >= at);
            if !P::REAL_TIME {
                assert!(now <= at.saturating_add(slack.nanos()), "{now} for {at}");
            }
        }
        timer.start_within(1.millis(), 1.millis())?;
        until(scope, || seen.lock().len() == 5);
        Ok(())
    });
}

fn a_periodic_timer_with_a_slack_does_not_drift<P: TestPlatform>() {
    run::<P>(|scope| {
        let seen = scope.own(Lock::<_, Metered<P>>::new(Vec::new()))?;
        let timer = scope.hrtimer(move |t| {
            let mut seen = seen.lock();
            seen.push((t.expires(), t.now()));
            match seen.len() {
                1..6 => t.forward(1.millis()),
                _ => Restart::No,
            }
        })?;
        let begin = scope.now().saturating_add(1.millis());
        timer.start_at_within(begin, 600.micros())?;
        until(scope, || seen.lock().len() == 6 && !timer.is_active());
        let periods = timer.forward(1.millis())?;
        assert!(periods > 0);
        until(scope, || seen.lock().len() == 7 && !timer.is_active());
        let seen = seen.lock();
        for &(expires, now) in &*seen {
            let since = expires.saturating_duration_since(begin);
            assert_eq!(since.as_nanos() % 1_000_000, 0, "{expires} after {begin}");
            assert!(now >= expires);
        }
        if !P::REAL_TIME {
            // The restarts have kept the slack: somewhere in their ranges is a rounder instant than at their beginning.
            assert!(seen.iter().all(|&(expires, now)| now > expires), "{seen:?}");
        }
        Ok(())
    });
}

fn a_slack_ends_with_the_clock<P: TestPlatform>() {
    run::<P>(|scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |_| {
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;
        let at = Instant::from_nanos(u64::MAX - 1);
        timer.start_at_within(at, Duration::MAX)?;
        assert_eq!(timer.expires(), Some(at));
        assert!(timer.is_active());
        // As late as it likes.
        timer.start_within(1.millis(), Duration::MAX)?;
        assert!(timer.is_active());
        // A start has its own slack, none here.
        timer.start(0.nanos())?;
        until(scope, || fired.load(SeqCst) == 1);
        // And a restart keeps it.
        until(scope, || !timer.is_active());
        timer.restart()?;
        until(scope, || fired.load(SeqCst) == 2);
        Ok(())
    });
}

/// With 100 timers all over a second, each of which may be a tenth of a second late, the machine is woken a few times.
#[test]
fn ranges_that_overlap_expire_together() {
    let sim = Metered::around(Sim::new());
    let wakes = |slack: Duration| {
        let mut wakes = Vec::new();
        common::run_on(&sim, |scope| {
            let seen = scope.own(Lock::<_, Metered<Sim>>::new(Vec::new()))?;
            let begin = scope.now().as_nanos();
            for i in 0..100 {
                let timer = scope.hrtimer(move |t| {
                    seen.lock().push(t.now());
                    Restart::No
                })?;
                let at = begin + (i * 7_919_333) % 1_000_000_000;
                timer.start_at_within(Instant::from_nanos(at), slack)?;
            }
            scope.sleep(2.secs());
            wakes.clone_from(&seen.lock());
            Ok(())
        });
        assert_eq!(wakes.len(), 100);
        assert!(wakes.is_sorted());
        wakes.dedup();
        wakes.len()
    };
    assert_eq!(wakes(Duration::ZERO), 100);
    let together = wakes(100.millis());
    assert!(together <= 20, "{together} wakes");
}
