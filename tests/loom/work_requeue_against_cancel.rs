//! A cancel races with work that queues itself: the cancel undoes it.

use driver_scope::{enter, Error, Restart};
use loom::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{at, bump, Plain};
use crate::platform::LoomPlatform;

/// Work that asks for more is queued before the platform sees its entry end, so a cancel that waits for the entry finds it.
///
/// Fails when weakened by `queue-cancel-does-not-wait`, `queue-cancel-disarms-once`.
#[test]
fn a_cancel_undoes_what_work_asks_for() {
    loom::model(|| {
        let platform = LoomPlatform::with_work();
        let runs = Plain::new(0);
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &runs, |runs, scope| {
                let work = scope.work(move |w| {
                    bump(runs);
                    w.requeue()
                })?;
                assert_eq!(work.queue(), Ok(true));
                let worker = platform.spawn_work(at(0), 2);
                work.cancel(scope.may_sleep())?;
                let before = runs.get();
                runs.set(before);
                assert!(platform.is_idle());
                worker.join().unwrap();
                assert_eq!(platform.work(at(0), 1), 0);
                assert_eq!(runs.get(), before);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}

/// Who is told that it was newly queued has a run of his own, and who is told that it was pending has none.
///
/// Fails when weakened by `work-queued-behind-its-run`.
#[test]
fn each_that_queues_it_newly_has_a_run() {
    loom::model(|| {
        let platform = LoomPlatform::with_work();
        let runs = Plain::new(0);
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &runs, |runs, scope| {
                let work = scope.work(move |_| {
                    bump(runs);
                    Restart::No
                })?;
                assert_eq!(work.queue(), Ok(true));
                let worker = platform.spawn_work(at(0), 1);
                let newly = work.queue()?;
                worker.join().unwrap();
                while platform.work(at(0), 1) == 1 {}
                assert_eq!(runs.get(), 1 + u32::from(newly));
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}

/// Two contexts queue idle work: one of them is told that it was he.
///
/// Fails when weakened by `work-queued-by-two`.
#[test]
fn one_of_two_queues_it() {
    loom::model(|| {
        let platform = LoomPlatform::with_work();
        let runs = Plain::new(0);
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &runs, |runs, scope| {
                let work = scope.work(move |_| {
                    bump(runs);
                    Restart::No
                })?;
                let told = scope.own(AtomicUsize::new(0))?;
                // A callback is what queues it on another thread.
                let timer = scope.hrtimer(move |_| {
                    let newly = work.queue().unwrap();
                    told.fetch_add(newly.into(), Ordering::Relaxed);
                    Restart::No
                })?;
                timer.start_at(at(0))?;
                let expirer = platform.spawn_expire(at(0));
                let newly = usize::from(work.queue()?);
                expirer.join().unwrap();
                let other = told.load(Ordering::Relaxed);
                assert_eq!(newly + other, 1);
                assert_eq!(platform.work(at(0), 2), 1);
                assert_eq!(runs.get(), 1);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}
