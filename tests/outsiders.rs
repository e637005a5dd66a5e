//! What safe code outside of a driver may try, to have it go on after its remove: a resource that holds on to itself, a timer that others
//! start all through the remove.
//!
//! Seen to fail with: a payload that the teardown leaves to its last handle, a teardown that does not shut what is registered.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

use common::{wait_until, Metered, Note, TestPlatform};
use driver_scope::{enter, Devres, Error, HrTimer, Plain, Platform, Restart, Units};

mod common;

on_every_platform!(
    a_resource_that_holds_itself_is_released_all_the_same,
    a_timer_started_from_outside_ends_with_its_scope,
);

/// Its own handle is in `own`, in a form that does not name its type.
struct Cycle {
    own: Mutex<Option<Box<dyn Any + Send + Sync>>>,
    _note: Note,
}

fn a_resource_that_holds_itself_is_released_all_the_same<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    platform.lend_sleep(|cx| {
        enter(platform.clone(), cx, &(), |(), scope| {
            let cycle = scope.devres::<Plain<Cycle>>(Cycle {
                own: Mutex::new(None),
                _note: log.note("cycle"),
            })?;
            let own = cycle.devres();
            *cycle.access(scope).own.lock().unwrap() = Some(Box::new(own));
            drop(cycle);
            assert_eq!(log.count("drop cycle"), 0);
            Ok::<(), Error>(())
        })
        .unwrap();
    });
    assert_eq!(log.count("drop cycle"), 1);
    platform.assert_at_rest();
}

type Outside<P> = Devres<HrTimer<'static, P>, P>;

fn a_timer_started_from_outside_ends_with_its_scope<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let fired = Arc::new(AtomicU32::new(0));
    let inside = Arc::new(AtomicBool::new(false));
    let shelf: Mutex<Option<Outside<Metered<P>>>> = Mutex::new(None);
    thread::scope(|threads| {
        let starts = platform.lend_sleep(|cx| {
            enter(
                platform.clone(),
                cx,
                &(&fired, &inside),
                |(fired, inside), scope| {
                    let timer = scope.hrtimer(move |_| {
                        assert!(!inside.swap(true, SeqCst), "beside itself");
                        fired.fetch_add(1, SeqCst);
                        inside.store(false, SeqCst);
                        Restart::No
                    })?;
                    let timer = scope.devres::<HrTimer<'static, _>>(timer)?;
                    let starts: Vec<_> = (0..4)
                        .map(|_| {
                            let timer = timer.devres();
                            threads.spawn(move || {
                                let mut starts = 0;
                                while let Some(guard) = timer.try_access() {
                                    let _ = guard.get().start(0.nanos());
                                    starts += 1;
                                }
                                starts
                            })
                        })
                        .collect();
                    *shelf.lock().unwrap() = Some(timer.devres());
                    wait_until(|| {
                        platform.lend_sleep(|cx| {
                            platform.sleep(cx, 10.micros());
                        });
                        fired.load(SeqCst) > 100
                    });
                    Ok::<_, Error>(starts)
                },
            )
            .unwrap()
        });
        let at_the_end = fired.load(SeqCst);
        let starts: u32 = starts
            .into_iter()
            .map(|starts| starts.join().unwrap())
            .sum();
        assert!(starts > 100);
        platform.lend_sleep(|cx| {
            platform.sleep(cx, 2.millis());
        });
        assert_eq!(fired.load(SeqCst), at_the_end);
    });
    assert!(shelf.lock().unwrap().take().unwrap().try_access().is_none());
    platform.assert_at_rest();
}
