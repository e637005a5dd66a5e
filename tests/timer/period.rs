//! Periods: restarts, and what is passed over.

use super::*;

on_every_platform!(
    a_timer_fires_periodically_without_drift,
    a_restart_is_for_the_same_instant,
    forward_from_outside_counts_periods,
    forward_in_the_callback_counts_overruns,
    a_zero_period_is_refused,
);

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
