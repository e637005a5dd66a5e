//! A callback starts a timer that the teardown is shutting, or has shut, at this moment: `shut` linearises against `arm` (promise 3 of
//! the platform). In safe code only a callback can do this, and the timer must be the newer of the two, since timers are shut
//! newest first: hence timers that start each other.

use driver_scope::{enter, Error, Restart};

use crate::common::{at, Guarded};
use crate::foreign::ForeignPlatform;
use crate::platform::LoomPlatform;

/// The newer timer is never armed again once it was shut: its memory would be followed by the queue.
///
/// Fails when weakened by `teardown-no-shut`, `queue-arm-ignores-shut`, `queue-shut-not-marked`,
/// `queue-shut-does-not-wait`, `queue-running-not-noted`, `platform-finished-early`, `platform-entry-under-lock`.
#[test]
fn a_start_that_comes_too_late_has_no_effect() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        let expirer = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let (older, vacant) = scope.vacant_hrtimer()?;
                let capture = Guarded::new();
                let newer = scope.hrtimer(move |_| {
                    capture.touch();
                    Restart::No
                })?;
                vacant.set(scope, move |_| {
                    match newer.start_at(at(0)) {
                        Ok(()) => {}
                        Err(error) => assert_eq!(error, Error::Closed),
                    }
                    Restart::No
                })?;
                older.start_at(at(0))?;
                Ok::<_, Error>(platform.spawn_expire(at(0)))
            })
            .unwrap()
        });
        assert!(platform.is_idle());
        expirer.join().unwrap();
        assert!(platform.is_idle());
    });
}

/// Each starts the other, for ever: only the teardown ends it.
///
/// Fails when weakened by `teardown-no-shut`, `queue-arm-ignores-shut`, `queue-shut-not-marked`,
/// `queue-shut-does-not-wait`, `queue-running-not-noted`, `platform-finished-early`, `platform-entry-under-lock`.
#[test]
fn timers_that_start_each_other_end_with_the_scope() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        let expirer = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let (older, vacant) = scope.vacant_hrtimer()?;
                let newer = scope.hrtimer(move |_| {
                    let _ = older.start_at(at(1));
                    Restart::No
                })?;
                vacant.set(scope, move |_| {
                    let _ = newer.start_at(at(0));
                    Restart::No
                })?;
                older.start_at(at(0))?;
                Ok::<_, Error>(platform.spawn_expire(at(0)))
            })
            .unwrap()
        });
        assert!(platform.is_idle());
        expirer.join().unwrap();
    });
}

/// The same as the first against a platform that arms under a lock of its own.
///
/// Fails when weakened by `teardown-no-shut`, `foreign-count-release`, `foreign-count-acquire`, `foreign-count-early`,
/// `foreign-counted-late`, `foreign-touch-after-count`, `foreign-arm-ignores-shut`,
/// `foreign-shut-tested-without-the-lock`, `foreign-wake-without-the-lock`.
#[test]
fn a_start_that_comes_too_late_has_no_effect_on_a_foreign_platform() {
    loom::model(|| {
        let platform = ForeignPlatform::new();
        let expirer = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let (older, vacant) = scope.vacant_hrtimer()?;
                let capture = Guarded::new();
                let newer = scope.hrtimer(move |_| {
                    capture.touch();
                    Restart::No
                })?;
                vacant.set(scope, move |_| {
                    let _ = newer.start_at(at(0));
                    Restart::No
                })?;
                older.start_at(at(0))?;
                Ok::<_, Error>(platform.spawn_expire(at(0), 2))
            })
            .unwrap()
        });
        assert!(platform.is_idle());
        expirer.join().unwrap();
        assert!(platform.is_idle());
    });
}
