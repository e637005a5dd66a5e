//! A callback starts a timer whose own callback is being set at this moment: it finds it vacant, or all of it.

use driver_scope::{enter, Error, Restart};
use loom::sync::atomic::{AtomicBool, Ordering};

use crate::common::{at, Plain};
use crate::platform::LoomPlatform;

/// `vacant.set` publishes the callback to whoever starts the timer.
///
/// Fails when weakened by `node-ready-release`, `node-ready-acquire`, `platform-entry-under-lock`.
#[test]
fn a_started_timer_has_its_whole_callback() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        let ran = Plain::new(false);
        let started = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &ran, |ran, scope| {
                let (late, vacant) = scope.vacant_hrtimer()?;
                let started = scope.own(AtomicBool::new(false))?;
                let starter = scope.hrtimer(move |_| {
                    match late.start_at(at(0)) {
                        Ok(()) => started.store(true, Ordering::Relaxed),
                        Err(error) => assert_eq!(error, Error::Vacant),
                    }
                    Restart::No
                })?;
                starter.start_at(at(0))?;
                let expirer = platform.spawn_expire(at(0));
                vacant.set(scope, move |_| {
                    ran.set(true);
                    Restart::No
                })?;
                expirer.join().unwrap();
                Ok::<_, Error>(started.load(Ordering::Relaxed))
            })
            .unwrap()
        });
        assert_eq!(ran.get(), started);
    });
}
