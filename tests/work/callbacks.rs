//! What work may do with work, itself included.

use super::*;

on_every_platform!(
    work_queues_itself_again,
    a_queueing_while_it_runs_wins_over_what_it_asks_for,
    vacant_work_queues_each_other,
    vacant_work_cannot_be_queued,
    work_queues_and_cancels_other_work,
    work_keeps_state_and_never_runs_beside_itself,
);

fn work_queues_itself_again<P: TestPlatform>() {
    run::<P>(|scope| {
        let times = scope.own(Mutex::new(Vec::new()))?;
        let work = scope.work(move |w| {
            let mut times = times.lock().unwrap();
            times.push(w.now());
            match times.len() {
                1 => w.requeue(),
                2 => w.requeue_after(2.millis()),
                3 => Restart::At(Instant::ZERO), // past
                _ => Restart::No,
            }
        })?;
        work.queue()?;
        until(scope, || times.lock().unwrap().len() == 4);
        scope.sleep(2.millis());
        let times = times.lock().unwrap();
        assert_eq!(times.len(), 4);
        assert!(times[2] >= times[1].saturating_add(2.millis()));
        Ok(())
    });
}

fn a_queueing_while_it_runs_wins_over_what_it_asks_for<P: TestPlatform>() {
    run::<P>(|scope| {
        let runs = scope.own(AtomicU32::new(0))?;
        let (work, vacant) = scope.vacant_work()?;
        vacant.set(scope, move |w| {
            if runs.fetch_add(1, SeqCst) > 0 {
                return Restart::No;
            }
            assert_eq!(work.queue_after(1.millis()), Ok(true));
            w.requeue_after(NEVER.secs())
        })?;
        work.queue()?;
        until(scope, || runs.load(SeqCst) == 2);
        scope.sleep(1.millis());
        assert!(!work.is_pending());
        Ok(())
    });
}

fn vacant_work_queues_each_other<P: TestPlatform>() {
    run::<P>(|scope| {
        let turns = scope.own(AtomicU32::new(0))?;
        let (ping, vacant) = scope.vacant_work()?;
        let pong = scope.work(move |_| {
            turns.fetch_add(1, SeqCst);
            assert_eq!(ping.queue(), Ok(true));
            Restart::No
        })?;
        vacant.set(scope, move |_| {
            if turns.load(SeqCst) < 10 {
                assert_eq!(pong.queue(), Ok(true));
            }
            Restart::No
        })?;
        ping.queue()?;
        until(scope, || turns.load(SeqCst) == 10 && !ping.is_pending());
        Ok(())
    });
}

fn vacant_work_cannot_be_queued<P: TestPlatform>() {
    run::<P>(|scope| {
        let (work, vacant) = scope.vacant_work()?;
        assert_eq!(work.queue(), Err(Error::Vacant));
        assert_eq!(work.flush(scope.may_sleep()), Ok(false));
        assert_eq!(work.try_cancel(), TryCancel::Idle);
        drop(vacant);
        assert_eq!(work.requeue_after(1.millis()), Err(Error::Vacant));
        Ok(())
    });
}

fn work_queues_and_cancels_other_work<P: TestPlatform>() {
    run::<P>(|scope| {
        let (other, runs) = counts(scope)?;
        let done = scope.own(AtomicBool::new(false))?;
        let work = scope.work(move |w| {
            assert_eq!(other.queue_after(NEVER.secs()), Ok(true));
            assert_eq!(other.cancel(w.may_sleep()), Ok(true));
            assert_eq!(other.cancel(w.may_sleep()), Ok(false));
            assert_eq!(other.queue(), Ok(true));
            assert_eq!(other.try_cancel(), TryCancel::Cancelled);
            assert_eq!(other.queue(), Ok(true));
            done.store(true, SeqCst);
            Restart::No
        })?;
        work.queue()?;
        until(scope, || done.load(SeqCst) && !other.is_pending());
        until(scope, || runs.load(SeqCst) == 1);
        Ok(())
    });
}

fn work_keeps_state_and_never_runs_beside_itself<P: TestPlatform>() {
    run::<P>(|scope| {
        let total = scope.own(Once::new())?;
        let inside = scope.own(AtomicBool::new(false))?;
        let mut sum = 0_u32;
        let work = scope.work(move |w| {
            assert!(!inside.swap(true, SeqCst));
            sum += 1;
            w.sleep(10.micros());
            assert!(inside.swap(false, SeqCst));
            if sum == 50 {
                assert!(total.set(sum).is_ok());
                return Restart::No;
            }
            w.requeue()
        })?;
        work.queue()?;
        until(scope, || {
            // Also while it runs.
            total.get().is_some() || work.queue().is_err()
        });
        work.cancel(scope.may_sleep())?;
        Ok(())
    });
}
