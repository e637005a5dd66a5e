//! A timer is started by a context whose timers go to another queue, so that it moves: against all that may happen to it meanwhile.
//! Both locks are free in between.

use driver_scope::{enter, Error, Restart, TryCancel};
use loom::sync::atomic::{AtomicU32, Ordering};

use crate::common::{at, bump, Guarded, Plain};
use crate::platform::LoomPlatform;

/// What is written before a start elsewhere is seen by a run that begins after it, whichever queue's.
///
/// Fails when weakened by `queue-moves-with-its-links`.
#[test]
fn a_start_elsewhere_is_followed_by_a_run_that_sees_it() {
    loom::model(|| {
        let platform = LoomPlatform::with_queues(2);
        let (written, seen, runs) = (AtomicU32::new(0), AtomicU32::new(0), Plain::new(0));
        platform.may_sleep(|cx| {
            enter(
                platform.clone(),
                cx,
                &(&written, &seen, &runs),
                |&(written, seen, runs), scope| {
                    let timer = scope.hrtimer(move |_| {
                        bump(runs);
                        seen.store(written.load(Ordering::Relaxed), Ordering::Relaxed);
                        Restart::No
                    })?;
                    timer.start_at(at(0))?;
                    let expirer = platform.spawn_expire(at(0));
                    platform.use_queue(1);
                    written.store(1, Ordering::Relaxed);
                    timer.start_at(at(0))?;
                    // It is in one of the two: in the first if its callback ran.
                    platform.expire_in(1, at(0));
                    expirer.join().unwrap();
                    platform.expire_in(0, at(0));
                    assert_eq!(seen.load(Ordering::Relaxed), 1);
                    assert!((1..=2).contains(&runs.get()));
                    assert!(platform.is_idle());
                    Ok::<(), Error>(())
                },
            )
            .unwrap();
        });
    });
}

/// A timer that the first queue has, and one whose callback, in the second queue, starts it for 20: elsewhere.
macro_rules! timer_and_mover {
    ($platform:expr, $scope:expr, $callback:expr) => {{
        let (mover, vacant) = $scope.vacant_hrtimer()?;
        let timer = $scope.hrtimer($callback)?;
        vacant.set($scope, move |_| {
            match timer.start_at(at(20)) {
                Ok(()) => {}
                Err(error) => assert_eq!(error, Error::Closed),
            }
            Restart::No
        })?;
        $platform.use_queue(1);
        mover.start_at(at(0))?;
        $platform.use_queue(0);
        timer
    }};
}

/// A cancel finds a timer that is on its way to another queue armed, as it is before and after; and if the start is the later of the two, the
/// timer is armed once.
///
/// Fails when weakened by `queue-index-looked-at-once`, `queue-moves-disarmed`.
#[test]
fn a_cancel_finds_a_timer_that_moves() {
    loom::model(|| {
        let platform = LoomPlatform::with_queues(2);
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let timer = timer_and_mover!(platform, scope, |_| Restart::No);
                timer.start_at(at(10))?;
                let mover = platform.spawn_expire_in(1, at(0));
                assert_eq!(timer.try_cancel(), TryCancel::Cancelled);
                mover.join().unwrap();
                let again = timer.is_active();
                let runs = [0, 1].map(|queue| platform.expire_in(queue, at(20)));
                assert_eq!(runs, [0, usize::from(again)]);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}

/// A cancel waits where the callback runs, whatever starts the timer elsewhere meanwhile: the timer stays there.
///
/// Fails when weakened by `queue-running-not-noted`, `queue-moves-while-running`.
#[test]
fn a_cancel_waits_where_the_callback_runs() {
    loom::model(|| {
        let platform = LoomPlatform::with_queues(2);
        let runs = Plain::new(0);
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &runs, |runs, scope| {
                let timer = timer_and_mover!(platform, scope, move |_| {
                    bump(runs);
                    Restart::At(at(1))
                });
                timer.start_at(at(0))?;
                let expirers = [0, 1].map(|queue| platform.spawn_expire_in(queue, at(0)));
                timer.cancel(scope.may_sleep())?;
                // No callback runs now, nor does one follow before 20.
                bump(runs);
                for expirer in expirers {
                    expirer.join().unwrap();
                }
                bump(runs);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}

/// A timer that is shut while it is on its way to another queue is armed in none: the queue would lead into memory that is gone.
///
/// Fails when weakened by `queue-arm-ignores-shut-after-a-move`, `queue-shut-not-marked`, `queue-index-looked-at-once-by-waiters`,
/// `queue-index-release`, `queue-index-acquire`.
#[test]
fn a_shut_ends_a_timer_that_moves() {
    loom::model(|| {
        let platform = LoomPlatform::with_queues(2);
        let mover = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let capture = Guarded::new();
                let timer = timer_and_mover!(platform, scope, move |_| {
                    capture.touch();
                    Restart::No
                });
                timer.start_at(at(0))?;
                Ok::<_, Error>(platform.spawn_expire_in(1, at(0)))
            })
            .unwrap()
        });
        assert!(platform.is_idle());
        mover.join().unwrap();
        assert!(platform.is_idle());
    });
}

/// Two contexts start a timer that lies in a third queue, each for its own: it ends in one of the three, armed once, and is whole.
///
/// Fails when weakened by `queue-index-looked-at-once`.
#[test]
fn two_starts_to_two_queues_arm_once() {
    loom::model(|| {
        let platform = LoomPlatform::with_queues(3);
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let timer = scope.hrtimer(|_| Restart::No)?;
                let starters = [1, 2].map(|queue| {
                    platform.use_queue(queue);
                    let starter = scope.hrtimer(move |_| {
                        timer.start_at(at(10)).unwrap();
                        Restart::No
                    });
                    starter.unwrap().start_at(at(0)).unwrap();
                    platform.spawn_expire_in(queue, at(0))
                });
                platform.use_queue(0);
                for starter in starters {
                    starter.join().unwrap();
                }
                assert!(timer.is_active());
                let runs = [0, 1, 2].map(|queue| platform.expire_in(queue, at(10)));
                assert_eq!(runs.iter().sum::<usize>(), 1, "{runs:?}");
                assert!(platform.is_idle());
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}

/// The same, where one of the two is in the timer's own queue.
///
/// Fails when weakened by `queue-index-looked-at-once-by-starts`.
#[test]
fn a_start_here_and_one_elsewhere_arm_once() {
    loom::model(|| {
        let platform = LoomPlatform::with_queues(2);
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let (elsewhere, vacant) = scope.vacant_hrtimer()?;
                let timer = scope.hrtimer(|_| Restart::No)?;
                vacant.set(scope, move |_| {
                    timer.start_at(at(10)).unwrap();
                    Restart::No
                })?;
                platform.use_queue(1);
                elsewhere.start_at(at(0))?;
                platform.use_queue(0);
                let starter = platform.spawn_expire_in(1, at(0));
                timer.start_at(at(10))?;
                starter.join().unwrap();
                assert!(timer.is_active());
                let runs = [0, 1].map(|queue| platform.expire_in(queue, at(10)));
                assert_eq!(runs.iter().sum::<usize>(), 1, "{runs:?}");
                assert!(platform.is_idle());
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}

/// The last touch (trap 14): a timer moves, or fires, or both, and its memory goes.
///
/// Fails when weakened by `queue-index-looked-at-once-by-waiters`, `queue-moves-while-running`,
/// `queue-moves-with-its-links`.
#[test]
fn a_node_that_moves_is_not_touched_after_its_end() {
    loom::model(|| {
        let platform = LoomPlatform::with_queues(2);
        let expirers = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let capture = Guarded::new();
                let timer = timer_and_mover!(platform, scope, move |_| {
                    capture.touch();
                    Restart::No
                });
                timer.start_at(at(0))?;
                Ok::<_, Error>([0, 1].map(|queue| platform.spawn_expire_in(queue, at(20))))
            })
            .unwrap()
        });
        assert!(platform.is_idle());
        for expirer in expirers {
            expirer.join().unwrap();
        }
        assert!(platform.is_idle());
    });
}
