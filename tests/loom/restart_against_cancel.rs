//! A cancel races with a callback that asks for a restart: the cancel undoes it.

use driver_scope::{enter, Error, Restart};

use crate::common::{at, bump, Plain};
use crate::foreign::ForeignPlatform;
use crate::platform::LoomPlatform;

/// The restart is in place before the platform sees the entry end, so a cancel that waits for the entry finds it.
///
/// Fails when weakened by `queue-cancel-does-not-wait`, `queue-cancel-disarms-once`, `queue-running-not-noted`,
/// `platform-finished-early`, `platform-entry-under-lock`.
#[test]
fn a_cancel_undoes_the_restart() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        let runs = Plain::new(0);
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &runs, |runs, scope| {
                let timer = scope.hrtimer(move |_| {
                    bump(runs);
                    Restart::At(at(1))
                })?;
                timer.start_at(at(0))?;
                let expirer = platform.spawn_expire(at(0));
                timer.cancel(scope.may_sleep())?;
                let before = runs.get();
                runs.set(before);
                assert!(platform.is_idle());
                expirer.join().unwrap();
                assert_eq!(platform.expire(at(1)), 0);
                assert_eq!(runs.get(), before);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}

/// The same where the wait is the platform's own, and the restart is due at once.
///
/// Fails when weakened by `foreign-count-early`, `foreign-counted-late`, `foreign-wake-without-the-lock`.
#[test]
fn a_cancel_undoes_the_restart_on_a_foreign_platform() {
    loom::model(|| {
        let platform = ForeignPlatform::new();
        let runs = Plain::new(0);
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &runs, |runs, scope| {
                let timer = scope.hrtimer(move |_| {
                    bump(runs);
                    Restart::At(at(0))
                })?;
                timer.start_at(at(0))?;
                let expirer = platform.spawn_expire(at(0), 2);
                timer.cancel(scope.may_sleep())?;
                let before = runs.get();
                runs.set(before);
                assert!(platform.is_idle());
                expirer.join().unwrap();
                assert_eq!(runs.get(), before);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}
