//! A visit beside what it tells of: registrations that are being made, and timers that expire.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use driver_scope::inspect::Timer;
use driver_scope::{enter, Binding, Driver, DriverScope, Error, Platform, Restart};
use loom::thread;

use crate::common::at;
use crate::foreign::ForeignPlatform;
use crate::platform::LoomPlatform;

struct Empty;

impl Driver<LoomPlatform> for Empty {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>((): &'drv (), _scope: &DriverScope<'drv, LoomPlatform>) -> Result<(), Error> {
        Ok(())
    }
}

/// A timer that another thread registers is not there yet, or there as a whole.
///
/// Fails when weakened by `registry-push-release`, `registry-newest-acquire`.
#[test]
fn a_timer_that_is_being_registered_is_whole() {
    let most = Arc::new(AtomicUsize::new(0));
    let found = Arc::clone(&most);
    loom::model(move || {
        let platform = LoomPlatform::new();
        let binding = platform.may_sleep(|cx| Binding::bind(platform.clone(), (), cx));
        let binding: Arc<Binding<Empty, LoomPlatform>> = Arc::new(binding.expect("it binds"));
        // On the thread that comes last: loom would not let a load that came first come later.
        let visitor = {
            let binding = Arc::clone(&binding);
            thread::spawn(move || {
                let mut seen = 0;
                binding.inspect(|item| {
                    assert_eq!(item.name.label(), Some("timer"));
                    let timer = item.timer().expect("a timer");
                    assert!(!timer.armed && !timer.running && timer.runs == 0);
                    seen += 1;
                });
                seen
            })
        };
        platform.may_sleep(|cx| {
            binding.with_scope(cx, |(), scope| {
                let timer = scope.named("timer").hrtimer(|_| Restart::No);
                timer.expect("open");
            });
        });
        most.fetch_max(visitor.join().unwrap(), Ordering::Relaxed);
    });
    assert_eq!(found.load(Ordering::Relaxed), 1, "it comes late, too");
}

/// Two processors let a timer expire at the same time: each expiry is a run or merged into one, and none is counted twice.
///
/// Fails when weakened by `node-running-acquire`, `node-running-release`.
#[test]
fn each_expiry_is_counted_once() {
    loom::model(|| {
        let platform = ForeignPlatform::new();
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let timer = scope.hrtimer(|_| Restart::No)?;
                timer.start_at(at(0))?;
                let other = platform.spawn_expire(at(0), 1);
                timer.start_at(at(0))?;
                let here = platform.expire(at(0), 1);
                let expired = here + other.join().unwrap();
                let seen = inspected(scope);
                // A merged expiry has the callback run once more.
                assert_eq!(seen.runs, expired as u64);
                assert!(seen.merged < 2);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}

fn inspected<P: Platform>(scope: &DriverScope<'_, P>) -> Timer {
    let mut found = None;
    scope.inspect(|item| found = item.timer().copied());
    found.expect("a timer")
}
