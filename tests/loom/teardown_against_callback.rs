//! The scope ends while a callback runs: what the callback captured and what the scope owns is dropped after it, and what it wrote is
//! seen.

use driver_scope::{enter, Error, Restart};

use crate::common::{at, bump, Guarded, Plain};
use crate::foreign::ForeignPlatform;
use crate::platform::LoomPlatform;

/// `Guarded` finds a use after or beside its drop; what the callback wrote to the environment is read after `enter`.
///
/// Fails when weakened by `teardown-no-shut`, `queue-shut-does-not-wait`, `queue-running-not-noted`,
/// `platform-finished-early`, `platform-entry-under-lock`.
#[test]
fn captures_and_owned_values_outlive_the_callback() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        let runs = Plain::new(0);
        let expirer = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &runs, |runs, scope| {
                let owned = scope.own(Guarded::new())?;
                let captured = Guarded::new();
                let timer = scope.hrtimer(move |_| {
                    owned.touch();
                    captured.touch();
                    bump(runs);
                    Restart::At(at(1))
                })?;
                timer.start_at(at(0))?;
                Ok::<_, Error>(platform.spawn_expire(at(0)))
            })
            .unwrap()
        });
        // `enter` has returned: its environment is ours alone.
        let ran = runs.get();
        runs.set(ran);
        assert_eq!(expirer.join().unwrap(), ran as usize);
    });
}

/// The same where the wait is the platform's own.
///
/// Fails when weakened by `teardown-no-shut`, `foreign-count-release`, `foreign-count-acquire`, `foreign-count-early`,
/// `foreign-counted-late`, `foreign-touch-after-count`, `foreign-wake-without-the-lock`.
#[test]
fn captures_and_owned_values_outlive_the_callback_on_a_foreign_platform() {
    loom::model(|| {
        let platform = ForeignPlatform::new();
        let runs = Plain::new(0);
        let expirer = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &runs, |runs, scope| {
                let owned = scope.own(Guarded::new())?;
                let captured = Guarded::new();
                let timer = scope.hrtimer(move |_| {
                    owned.touch();
                    captured.touch();
                    bump(runs);
                    Restart::At(at(1))
                })?;
                timer.start_at(at(0))?;
                Ok::<_, Error>(platform.spawn_expire(at(0), 1))
            })
            .unwrap()
        });
        let ran = runs.get();
        runs.set(ran);
        assert_eq!(expirer.join().unwrap(), ran as usize);
    });
}
