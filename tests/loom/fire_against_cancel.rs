//! A cancel races with the expiry: when it returns, the callback does not run, what it did is seen, and it runs no more until the
//! next start.

use driver_scope::{enter, Error, Restart};

use crate::common::{at, bump, Plain};
use crate::foreign::ForeignPlatform;
use crate::platform::LoomPlatform;

/// What the callback counts is ordinary memory, so loom finds a run that is not over, or not seen, when `cancel` returns.
///
/// Fails when weakened by `queue-cancel-does-not-wait`, `queue-running-not-noted`, `platform-finished-early`.
#[test]
fn after_a_cancel_nothing_runs_until_the_next_start() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        let runs = Plain::new(0);
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &runs, |runs, scope| {
                let timer = scope.hrtimer(move |_| {
                    bump(runs);
                    Restart::No
                })?;
                timer.start_at(at(0))?;
                let expirer = platform.spawn_expire(at(0));
                timer.cancel(scope.may_sleep())?;
                // Loom objects to these if the callback runs now or later.
                let before = runs.get();
                runs.set(before);
                assert!(!timer.is_active());
                expirer.join().unwrap();
                assert_eq!(platform.expire(at(0)), 0);
                assert_eq!(runs.get(), before);
                timer.start_at(at(0))?;
                assert_eq!(platform.expire(at(0)), 1);
                assert_eq!(runs.get(), before + 1);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}

/// The same where the wait is the platform's own.
///
/// Fails when weakened by `foreign-count-release`, `foreign-count-acquire`, `foreign-count-early`,
/// `foreign-counted-late`, `foreign-wake-without-the-lock`.
#[test]
fn after_a_cancel_nothing_runs_on_a_foreign_platform() {
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
                let expirer = platform.spawn_expire(at(0), 1);
                timer.cancel(scope.may_sleep())?;
                let before = runs.get();
                runs.set(before);
                assert!(!timer.is_active());
                expirer.join().unwrap();
                assert_eq!(runs.get(), before);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}
