//! The platform calls one timer's entry on two processors at once: the callback never runs beside itself, each run sees what the one
//! before it wrote, and the expiry that came meanwhile is not lost (it is noted, and the callback runs again).

use driver_scope::{enter, Error, Restart, TryCancel};
use loom::sync::atomic::{AtomicU32, Ordering};

use crate::common::{at, bump, Plain};
use crate::foreign::ForeignPlatform;

/// The callback's state is ordinary memory: two runs at once, or two that nothing orders, are found by loom.
///
/// Fails when weakened by `node-running-acquire`, `node-running-release`, `node-beside-itself`.
#[test]
fn the_callback_never_runs_beside_itself() {
    loom::model(|| {
        let platform = ForeignPlatform::new();
        let runs = Plain::new(0);
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &runs, |runs, scope| {
                let timer = scope.hrtimer(move |_| {
                    bump(runs);
                    Restart::No
                })?;
                timer.start_at(at(0))?;
                let first = platform.spawn_expire(at(0), 1);
                let second = platform.spawn_expire(at(0), 1);
                timer.start_at(at(0))?;
                first.join().unwrap();
                second.join().unwrap();
                timer.cancel(scope.may_sleep())?;
                assert!(runs.get() <= 2);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}

/// What led to an expiry is seen by a run that begins after it, also if the expiry was only noted.
///
/// Fails when weakened by `node-running-acquire`, `node-running-release`, `node-note-release`, `node-note-acquire`,
/// `node-note-dropped`, `node-beside-itself`.
#[test]
fn an_expiry_while_running_is_not_lost() {
    loom::model(|| {
        let platform = ForeignPlatform::new();
        let (written, seen) = (AtomicU32::new(0), AtomicU32::new(0));
        platform.may_sleep(|cx| {
            enter(
                platform.clone(),
                cx,
                &(&written, &seen),
                |&(written, seen), scope| {
                    let timer = scope.hrtimer(move |_| {
                        seen.store(written.load(Ordering::Relaxed), Ordering::Relaxed);
                        Restart::No
                    })?;
                    timer.start_at(at(0))?;
                    let other = platform.spawn_expire(at(0), 1);
                    written.store(1, Ordering::Relaxed);
                    timer.start_at(at(0))?;
                    platform.expire(at(0), 1);
                    other.join().unwrap();
                    assert_eq!(seen.load(Ordering::Relaxed), 1);
                    Ok::<(), Error>(())
                },
            )
            .unwrap();
        });
    });
}

/// A run's restart is in place before the next run begins: the second run undoes it, and the timer stays idle.
///
/// Fails when weakened by `node-note-dropped`, `node-beside-itself`, `node-released-before-restart`,
/// `foreign-count-early`.
#[test]
fn a_restart_is_in_place_before_the_next_run() {
    loom::model(|| {
        let platform = ForeignPlatform::new();
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let (timer, vacant) = scope.vacant_hrtimer()?;
                let mut runs = 0;
                vacant.set(scope, move |_| {
                    runs += 1;
                    if runs == 1 {
                        return Restart::At(at(1));
                    }
                    assert_eq!(timer.try_cancel(), TryCancel::Running);
                    Restart::No
                })?;
                timer.start_at(at(0))?;
                let other = platform.spawn_expire(at(0), 1);
                timer.start_at(at(0))?;
                let here = platform.expire(at(0), 1);
                let both = here + other.join().unwrap();
                // Once if the second start came before the first expiry; then the restart stands.
                assert_eq!(platform.is_idle(), both == 2);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}
