//! Who waits for work: `cancel` and `flush`.

use super::*;

on_every_platform!(
    cancel_waits_and_undoes,
    cancel_ends_work_that_queues_itself,
    flush_waits_for_what_was_queued,
    flush_calls_at_once_what_was_delayed,
    flush_waits_for_what_runs,
    flush_ends_though_work_queues_itself_for_ever,
    flush_of_idle_work_waits_for_nothing,
    flush_waits_for_no_work_that_is_queued_for_later,
    a_wait_for_oneself_is_a_deadlock,
    a_flush_in_a_callback_is_a_deadlock,
);

fn cancel_waits_and_undoes<P: TestPlatform>() {
    run::<P>(|scope| {
        let cx = scope.may_sleep();
        let runs = scope.own(AtomicU32::new(0))?;
        let (inside, over) = (
            scope.own(AtomicBool::new(false))?,
            scope.own(AtomicBool::new(false))?,
        );
        let (work, vacant) = scope.vacant_work()?;
        vacant.set(scope, move |w| {
            runs.fetch_add(1, SeqCst);
            inside.store(true, SeqCst);
            w.sleep(2.millis());
            let _ = work.queue();
            over.store(true, SeqCst);
            w.requeue()
        })?;
        assert_eq!(work.cancel(cx), Ok(false));
        work.queue()?;
        scope.platform().meanwhile(|| {
            wait_until(|| inside.load(SeqCst));
            assert_eq!(work.cancel(cx), Ok(true));
            assert!(over.load(SeqCst));
        });
        let before = runs.load(SeqCst);
        assert!(!work.is_pending() && !work.is_running());
        scope.sleep(2.millis());
        assert_eq!(runs.load(SeqCst), before);
        work.queue_after(NEVER.secs())?;
        assert_eq!(work.cancel(cx), Ok(true));
        assert!(!work.is_pending());
        Ok(())
    });
}

/// Work that asks to be called again at once, for ever.
fn restless<'drv, P: Platform>(
    scope: &DriverScope<'drv, P>,
) -> Result<(Work<'drv, P>, &'drv AtomicU32), Error> {
    let runs = scope.own(AtomicU32::new(0))?;
    let work = scope.work(move |w| {
        runs.fetch_add(1, SeqCst);
        w.requeue()
    })?;
    Ok((work, runs))
}

fn cancel_ends_work_that_queues_itself<P: TestPlatform>() {
    run::<P>(|scope| {
        let runs = scope.own(AtomicU32::new(0))?;
        let work = scope.work(move |w| {
            runs.fetch_add(1, SeqCst);
            w.requeue_after(50.micros())
        })?;
        work.queue()?;
        until(scope, || runs.load(SeqCst) > 3);
        work.cancel(scope.may_sleep())?;
        let before = runs.load(SeqCst);
        scope.sleep(2.millis());
        assert_eq!(runs.load(SeqCst), before);
        Ok(())
    });
}

fn flush_waits_for_what_was_queued<P: TestPlatform>() {
    run::<P>(|scope| {
        let cx = scope.may_sleep();
        for delay in [0, 1] {
            let (work, runs) = counts(scope)?;
            let before = scope.work(|w| {
                // So that there is something to be waited for, on a busy machine, too.
                w.sleep(100.millis());
                Restart::No
            })?;
            before.queue()?;
            work.queue_after(delay.nanos())?;
            assert_eq!(work.flush(cx), Ok(true));
            assert_eq!(runs.load(SeqCst), 1);
            assert!(!before.is_pending() && !before.is_running());
            assert_eq!(work.flush(cx), Ok(false));
        }
        Ok(())
    });
}

fn flush_calls_at_once_what_was_delayed<P: TestPlatform>() {
    run::<P>(|scope| {
        let seen = scope.own(Lock::<_, Metered<P>>::new(None))?;
        let work = scope.work(move |w| {
            assert_eq!(seen.lock().replace(w.queued_for()), None);
            Restart::No
        })?;
        // Again and again: a thread that has not come to sleep yet needs not be woken.
        for _ in 0..5 {
            let begin = scope.now();
            work.queue_after(NEVER.secs())?;
            scope.sleep(5.millis());
            assert_eq!(work.flush(scope.may_sleep()), Ok(true));
            let queued_for = seen.lock().take().expect("it was called");
            assert!(queued_for >= begin && queued_for <= scope.now());
            assert!(!work.is_pending());
        }
        Ok(())
    });
}

fn flush_waits_for_what_runs<P: TestPlatform>() {
    run::<P>(|scope| {
        let (work, inside, gate) = waits(scope)?;
        let over = AtomicBool::new(false);
        let platform = scope.platform();
        scope.platform().meanwhile(|| {
            work.queue().unwrap();
            wait_until(|| inside.load(SeqCst));
            thread::scope(|threads| {
                let flusher = threads.spawn(|| {
                    let flushed = platform.lend_sleep(|cx| work.flush(cx));
                    over.store(true, SeqCst);
                    flushed
                });
                thread::sleep(5.millis());
                assert!(!over.load(SeqCst));
                gate.store(true, SeqCst);
                assert_eq!(flusher.join().unwrap(), Ok(true));
            });
        });
        Ok(())
    });
}

fn flush_ends_though_work_queues_itself_for_ever<P: TestPlatform>() {
    run::<P>(|scope| {
        let cx = scope.may_sleep();
        let (work, runs) = restless(scope)?;
        work.queue()?;
        for _ in 0..20 {
            assert_eq!(work.flush(cx), Ok(true));
            assert!(runs.load(SeqCst) > 0);
        }
        assert_eq!(work.cancel(cx), Ok(true));
        Ok(())
    });
}

fn flush_of_idle_work_waits_for_nothing<P: TestPlatform>() {
    run::<P>(|scope| {
        let cx = scope.may_sleep();
        let (work, runs) = counts(scope)?;
        assert_eq!(work.flush(cx), Ok(false));
        // Other work is none of its business.
        let (busy, inside, gate) = waits(scope)?;
        scope.platform().meanwhile(|| {
            busy.queue().unwrap();
            wait_until(|| inside.load(SeqCst));
            assert_eq!(work.flush(cx), Ok(false));
            gate.store(true, SeqCst);
        });
        assert_eq!(runs.load(SeqCst), 0);
        Ok(())
    });
}

fn flush_waits_for_no_work_that_is_queued_for_later<P: TestPlatform>() {
    run::<P>(|scope| {
        let cx = scope.may_sleep();
        let (other, others) = counts(scope)?;
        let (work, runs) = counts(scope)?;
        other.queue_after(NEVER.secs())?;
        work.queue_after(NEVER.secs())?;
        assert_eq!(work.flush(cx), Ok(true));
        assert_eq!((runs.load(SeqCst), others.load(SeqCst)), (1, 0));
        assert!(other.is_pending());
        Ok(())
    });
}

fn a_wait_for_oneself_is_a_deadlock<P: TestPlatform>() {
    run::<P>(|scope| {
        let seen = scope.own(Once::new())?;
        let (work, vacant) = scope.vacant_work()?;
        vacant.set(scope, move |w| {
            let cx = w.may_sleep();
            assert!(seen.set((work.cancel(cx), work.flush(cx))).is_ok());
            Restart::No
        })?;
        work.queue()?;
        until(scope, || seen.get().is_some());
        let expected = (Err(Error::Deadlock), Err(Error::Deadlock));
        assert_eq!(*seen.get().unwrap(), expected);
        Ok(())
    });
}

/// Of other work, or with a token that should not be there.
fn a_flush_in_a_callback_is_a_deadlock<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.lend_sleep(|cx| {
        let smuggled = Smuggled::new(cx);
        enter(platform.clone(), cx, &smuggled, |smuggled, scope| {
            let seen = scope.own(Mutex::new(Vec::new()))?;
            let (other, _) = counts(scope)?;
            let work = scope.work(move |w| {
                seen.lock().unwrap().push(other.flush(w.may_sleep()));
                Restart::No
            })?;
            let timer = scope.hrtimer(move |_| {
                seen.lock().unwrap().push(other.flush(smuggled.get()));
                Restart::No
            })?;
            work.queue()?;
            other.queue()?;
            timer.start(0.nanos())?;
            until(scope, || seen.lock().unwrap().len() == 2);
            assert_eq!(*seen.lock().unwrap(), [Err(Error::Deadlock); 2]);
            Ok::<(), Error>(())
        })
        .unwrap();
    });
    platform.assert_at_rest();
}
