//! A callback arms another timer, an older one, while the scope is torn down. The teardown waits for the callback first, then finds the
//! timer that it armed.

use driver_scope::{enter, Error, Restart};

use crate::common::{at, Guarded};
use crate::platform::LoomPlatform;

/// The other timer is idle, armed or running when its turn comes; in any case it ends.
///
/// Fails when weakened by `teardown-no-shut`, `queue-shut-does-not-wait`, `queue-running-not-noted`,
/// `platform-finished-early`, `platform-entry-under-lock`.
#[test]
fn the_armed_timer_ends_with_the_scope() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        let expirer = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let capture = Guarded::new();
                let other = scope.hrtimer(move |_| {
                    capture.touch();
                    Restart::No
                })?;
                let starter = scope.hrtimer(move |_| {
                    match other.start_at(at(0)) {
                        Ok(()) => {}
                        Err(error) => assert_eq!(error, Error::Closed),
                    }
                    Restart::No
                })?;
                starter.start_at(at(0))?;
                // Left running at the end of the scope.
                Ok::<_, Error>(platform.spawn_expire(at(0)))
            })
            .unwrap()
        });
        assert!(platform.is_idle());
        expirer.join().unwrap();
        assert!(platform.is_idle());
    });
}
