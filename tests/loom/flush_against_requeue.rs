//! A flush races with the run that it waits for, and with the next one.

use std::sync::Arc;
use std::time::Duration;

use driver_scope::{enter, Error, Restart};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread::JoinHandle;

use crate::common::{at, bounded, bump, Plain};
use crate::platform::LoomPlatform;

/// Not zero: what stands before all others has another instant.
const PRESENT: u64 = 5;

/// A platform on which some time has passed.
fn platform() -> LoomPlatform {
    let platform = LoomPlatform::with_work();
    platform.work(at(PRESENT), 0);
    platform
}

/// A thread that does all work until it is told that there will be no more.
fn spawn_worker(platform: &LoomPlatform) -> (Arc<AtomicBool>, JoinHandle<()>) {
    let over = Arc::new(AtomicBool::new(false));
    let (platform, told) = (platform.clone(), Arc::clone(&over));
    let worker = loom::thread::spawn(move || {
        while !told.load(Ordering::Relaxed) {
            if platform.work(at(PRESENT), 1) == 0 {
                loom::thread::yield_now();
            }
        }
    });
    (over, worker)
}

/// What was queued has run when the flush returns, and is ordered before; that the work asks for more changes nothing.
///
/// Fails when weakened by `flush-before-the-node`, `flush-leaves-what-runs`.
#[test]
fn what_was_queued_has_run() {
    bounded(2, || {
        let platform = platform();
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let ended = scope.own(Plain::new(false))?;
                let mut more = true;
                let work = scope.work(move |w| {
                    if std::mem::replace(&mut more, false) {
                        ended.set(true);
                        return w.requeue();
                    }
                    Restart::No
                })?;
                work.queue()?;
                let (over, worker) = spawn_worker(&platform);
                // `false` if it has run as often as it wants.
                let _ = work.flush(scope.may_sleep())?;
                assert!(ended.get());
                over.store(true, Ordering::Relaxed);
                worker.join().unwrap();
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}

/// What was queued for later is called at once, once.
///
/// Fails when weakened by `flush-leaves-the-delay`.
#[test]
fn a_flush_calls_what_was_delayed_once() {
    bounded(2, || {
        let platform = LoomPlatform::with_work();
        let runs = Plain::new(0);
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &runs, |runs, scope| {
                let work = scope.work(move |_| {
                    bump(runs);
                    Restart::No
                })?;
                work.queue_after(Duration::from_nanos(7))?;
                let (over, worker) = spawn_worker(&platform);
                assert_eq!(work.flush(scope.may_sleep()), Ok(true));
                assert_eq!(runs.get(), 1);
                over.store(true, Ordering::Relaxed);
                worker.join().unwrap();
                assert_eq!(work.flush(scope.may_sleep()), Ok(false));
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
}
