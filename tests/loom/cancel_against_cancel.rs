//! Two threads cancel one timer at once, while it fires: both wait, and after either nothing runs.

use std::sync::Arc;

use driver_scope::{Binding, Driver, DriverScope, Error, HrTimer, Restart};
use loom::thread;

use crate::common::{at, bounded, bump, Plain};
use crate::platform::LoomPlatform;

struct Ticker;

impl Driver<LoomPlatform> for Ticker {
    type Device = Plain<u32>;
    type Data<'drv> = HrTimer<'drv, LoomPlatform>;
    type Error = Error;

    fn probe<'drv>(
        runs: &'drv Plain<u32>,
        scope: &DriverScope<'drv, LoomPlatform>,
    ) -> Result<Self::Data<'drv>, Error> {
        let timer = scope.hrtimer(move |_| {
            bump(runs);
            Restart::At(at(1))
        })?;
        timer.start_at(at(0))?;
        Ok(timer)
    }
}

/// Whoever returns first may rely on it as much as the last.
///
/// Fails when weakened by `queue-cancel-does-not-wait`, `queue-cancel-disarms-once`, `queue-running-not-noted`,
/// `platform-finished-early`, `platform-wakes-one`, `platform-entry-under-lock`.
#[test]
fn both_wait_and_after_either_nothing_runs() {
    // Unbounded, this takes long: three threads around one lock.
    bounded(4, || {
        let platform = LoomPlatform::new();
        let binding = platform.may_sleep(|cx| {
            Binding::<Ticker, _>::bind(platform.clone(), Plain::new(0), cx).expect("it binds")
        });
        let binding = Arc::new(binding);
        let cancel = |binding: &Binding<Ticker, LoomPlatform>| {
            binding.platform().may_sleep(|cx| {
                binding
                    .with(|timer| timer.cancel(cx))
                    .expect("outside the callback");
            });
            // Loom objects if the callback runs now or later.
            assert!(binding.device().get() <= 1);
        };
        let expirer = platform.spawn_expire(at(0));
        let other = {
            let binding = Arc::clone(&binding);
            thread::spawn(move || cancel(&binding))
        };
        cancel(&binding);
        other.join().unwrap();
        assert!(platform.is_idle());
        expirer.join().unwrap();
        drop(binding);
    });
}
