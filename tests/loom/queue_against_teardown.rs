//! Work is queued at the very moment of the teardown.

use driver_scope::{enter, Error, Restart};

use crate::common::{at, bounded, Guarded};
use crate::platform::LoomPlatform;

/// A timer queues work that the teardown is shutting, or has shut: it never runs on what is gone.
///
/// Fails when weakened by `teardown-no-shut`, `queue-arm-ignores-shut`, `queue-shut-not-marked`, `queue-shut-does-not-wait`.
#[test]
fn what_is_queued_too_late_does_not_run() {
    bounded(3, || {
        let platform = LoomPlatform::with_work();
        let (expirer, worker) = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                // Older than the work, so shut after it.
                let (timer, vacant) = scope.vacant_hrtimer()?;
                let capture = Guarded::new();
                let work = scope.work(move |_| {
                    capture.touch();
                    Restart::No
                })?;
                vacant.set(scope, move |_| {
                    match work.queue() {
                        Ok(newly) => assert!(newly),
                        Err(error) => assert_eq!(error, Error::Closed),
                    }
                    Restart::No
                })?;
                timer.start_at(at(0))?;
                let expirer = platform.spawn_expire(at(0));
                Ok::<_, Error>((expirer, platform.spawn_work(at(0), 1)))
            })
            .unwrap()
        });
        assert!(platform.is_idle());
        expirer.join().unwrap();
        worker.join().unwrap();
        assert!(platform.is_idle());
    });
}

/// Work that asks for more is waited for, and has no more.
///
/// Fails when weakened by `teardown-no-shut`, `queue-arm-ignores-shut`, `queue-shut-not-marked`, `queue-shut-does-not-wait`.
#[test]
fn work_that_asks_for_more_ends_with_the_scope() {
    loom::model(|| {
        let platform = LoomPlatform::with_work();
        let worker = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let capture = Guarded::new();
                let work = scope.work(move |w| {
                    capture.touch();
                    w.requeue()
                })?;
                work.queue()?;
                Ok::<_, Error>(platform.spawn_work(at(0), 2))
            })
            .unwrap()
        });
        assert!(platform.is_idle());
        worker.join().unwrap();
    });
}
