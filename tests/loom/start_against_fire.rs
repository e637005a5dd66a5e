//! A start races with the expiry of the same timer: trap 6, no wake-up is lost and a start made while the callback runs stands.

use driver_scope::{enter, Error, Restart};
use loom::sync::atomic::{AtomicU32, Ordering};

use crate::common::at;
use crate::foreign::ForeignPlatform;
use crate::platform::LoomPlatform;

/// What is written before a start is seen by a run that begins after it.
///
/// Fails when weakened by `queue-start-while-running-lost`.
#[test]
fn each_start_is_followed_by_a_run_that_sees_it() {
    loom::model(|| {
        let platform = LoomPlatform::new();
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
                    let expirer = platform.spawn_expire(at(0));
                    written.store(1, Ordering::Relaxed);
                    timer.start_at(at(0))?;
                    expirer.join().unwrap();
                    // The expirer may have looked before the start.
                    platform.expire(at(0));
                    assert_eq!(seen.load(Ordering::Relaxed), 1);
                    Ok::<(), Error>(())
                },
            )
            .unwrap();
        });
    });
}

/// The callback asks for a restart at 20 while somebody starts the timer for 10: whichever comes first, it is armed for 10.
///
/// Fails when weakened by `node-restart-replaces`, `queue-start-while-running-lost`, `platform-entry-under-lock`.
#[test]
fn a_start_while_the_callback_runs_stands() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let timer = scope.hrtimer(|_| Restart::At(at(20)))?;
                timer.start_at(at(0))?;
                let expirer = platform.spawn_expire(at(0));
                timer.start_at(at(10))?;
                expirer.join().unwrap();
                assert_eq!(timer.expires(), Some(at(10)));
                assert!(timer.is_active());
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}

/// The same on a platform that may call the entry twice at once.
///
/// Fails when weakened by `node-restart-replaces`, `foreign-shut-tested-without-the-lock`.
#[test]
fn a_start_while_the_callback_runs_stands_on_a_foreign_platform() {
    loom::model(|| {
        let platform = ForeignPlatform::new();
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let timer = scope.hrtimer(|_| Restart::At(at(20)))?;
                timer.start_at(at(0))?;
                let expirer = platform.spawn_expire(at(0), 1);
                timer.start_at(at(10))?;
                expirer.join().unwrap();
                assert_eq!(timer.expires(), Some(at(10)));
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}
