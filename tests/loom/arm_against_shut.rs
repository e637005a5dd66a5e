//! A callback restarts its own timer, and another start of it comes from a second timer's callback, while the teardown shuts it: on a
//! platform whose C core knows nothing of "shut". The glue's flag, tested under the lock that `shut` takes, makes shut final
//! (promise 3); a flag tested before arming, without the lock, would let an arm slip in behind the cancel.

use driver_scope::{enter, Error, Restart};

use crate::common::{at, bounded, Guarded};
use crate::foreign::ForeignPlatform;

/// The callback's own restart.
///
/// Fails when weakened by `teardown-no-shut`, `foreign-count-release`, `foreign-count-acquire`, `foreign-count-early`,
/// `foreign-counted-late`, `foreign-touch-after-count`, `foreign-wake-without-the-lock`.
#[test]
fn shut_ends_a_timer_that_restarts_itself() {
    loom::model(|| {
        let platform = ForeignPlatform::new();
        let expirer = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let capture = Guarded::new();
                let timer = scope.hrtimer(move |_| {
                    capture.touch();
                    Restart::At(at(0))
                })?;
                timer.start_at(at(0))?;
                Ok::<_, Error>(platform.spawn_expire(at(0), 2))
            })
            .unwrap()
        });
        assert!(platform.is_idle());
        expirer.join().unwrap();
        assert!(platform.is_idle());
    });
}

/// The callback's own restart, and a start from another timer's callback.
///
/// Fails when weakened by `teardown-no-shut`, `foreign-count-release`, `foreign-count-acquire`, `foreign-count-early`,
/// `foreign-counted-late`, `foreign-touch-after-count`, `foreign-arm-ignores-shut`,
/// `foreign-shut-tested-without-the-lock`, `foreign-wake-without-the-lock`.
#[test]
fn shut_ends_a_timer_that_two_callbacks_arm() {
    // Three threads around two locks do not finish unbounded.
    bounded(3, || {
        let platform = ForeignPlatform::new();
        let expirers = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let (starter, vacant) = scope.vacant_hrtimer()?;
                let capture = Guarded::new();
                let timer = scope.hrtimer(move |_| {
                    capture.touch();
                    Restart::At(at(0))
                })?;
                vacant.set(scope, move |_| {
                    let _ = timer.start_at(at(0));
                    Restart::No
                })?;
                starter.start_at(at(0))?;
                timer.start_at(at(0))?;
                Ok::<_, Error>([
                    platform.spawn_expire(at(0), 1),
                    platform.spawn_expire(at(0), 1),
                ])
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
