//! What a callback may do, and that it never runs beside itself.

use super::*;

on_every_platform!(
    a_callback_starts_its_own_timer,
    a_start_during_the_callback_wins_over_the_restart_returned,
    a_callback_starts_and_cancels_another_timer,
    vacant_timers_start_each_other,
    a_vacant_timer_cannot_be_started,
    a_callback_keeps_state,
    a_callback_never_runs_beside_itself,
);

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
            timer.start_at(later).unwrap();
            // Then, so that who sees this sees that.
            fired.fetch_add(1, SeqCst);
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
                        for round in 0..rounds(100, 10) {
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
