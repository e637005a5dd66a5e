//! What is forgotten ends all the same; what keeps itself is let go with its last outside hand.

use std::mem;
use std::panic::{catch_unwind, panic_any, AssertUnwindSafe};

use super::*;
use driver_scope::Plain;

pub fn work_and_sleeps_are_forgotten<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let count = Count::default();
    run_on(&platform, |scope| {
        let counted = count.clone();
        let work = scope.work(move |w| {
            counted.fetch_add(1, SeqCst);
            w.requeue_after(100.micros())
        })?;
        work.queue()?;
        until(scope, || count.load(SeqCst) > 2);
        leaked_on_purpose(work);
        mem::forget(scope.vacant_work()?);
        mem::forget(scope.sleeper(2)?.sleep(1.secs()));
        mem::forget(scope.on_remove(|_| ()));
        Ok(())
    });
    assert_still(&platform, &count);
}

pub fn a_child_is_forgotten<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (log, mut counts) = (platform.log(), Vec::new());
    run_on(&platform, |scope| {
        for _ in 0..2 {
            let (device, count) = device::<P>(&log);
            let child = scope
                .child::<Ticker>(device)
                .map_err(|failed| failed.error)?;
            mem::forget(child);
            until(scope, || count.load(SeqCst) > 2);
            counts.push(count);
        }
        Ok(())
    });
    for count in &counts {
        assert_still(&platform, count);
    }
    assert_eq!(log.count("drop device"), 2);
}

pub fn a_binding_is_kept_by_its_own_device<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (binding, count) = bind(&platform);
    let port = binding.port().unwrap();
    // Nobody else has it now: it goes on, and can be called.
    port.call(|data| {
        let Ok(mut kept) = data.device.kept.lock() else {
            unreachable!()
        };
        assert!(kept.is_none());
        *kept = Some(Box::new(()));
    })
    .unwrap();
    let shelf = Arc::new(Mutex::new(Some(binding)));
    let hidden = shelf.clone();
    port.call(move |data| *data.device.kept.lock().unwrap() = Some(Box::new(hidden)))
        .unwrap();
    let before = count.load(SeqCst);
    platform.lend_sleep(|cx| {
        while count.load(SeqCst) < before + 3 {
            platform.sleep(cx, 1.millis());
        }
    });
    assert!(port.call(|data| data.timer.is_active()).unwrap());
    // The cycle is broken from outside.
    let binding = shelf.lock().unwrap().take();
    drop(binding);
    assert_eq!(port.call(|_| ()), Err(Error::Gone));
    assert_still(&platform, &count);
    drop((port, shelf));
    platform.assert_at_rest();
}

pub fn a_binding_is_the_payload_of_a_panic<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (binding, count) = bind(&platform);
    let port = binding.port().unwrap();
    common::quiet();
    let payload = catch_unwind(AssertUnwindSafe(|| panic_any(binding))).unwrap_err();
    assert!(port.is_open());
    drop(payload);
    assert_eq!(port.call(|_| ()), Err(Error::Gone));
    assert_still(&platform, &count);
    drop(port);
    platform.assert_at_rest();
}

pub fn a_resource_is_leaked_for_ever<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (log, count) = (platform.log(), Count::default());
    let mut leaked: Option<&'static Devres<HrTimer<'static, Metered<P>>, Metered<P>>> = None;
    platform.lend_sleep(|cx| {
        enter(platform.clone(), cx, &(), |(), scope| {
            let timer = ticking(scope, &count)?;
            let outside = scope.devres::<HrTimer<'static, _>>(timer)?.devres();
            let outside: &'static _ = leaked_on_purpose(outside);
            assert!(outside
                .try_access()
                .is_some_and(|timer| timer.get().is_active()));
            leaked = Some(outside);
            leaked_on_purpose(scope.devres::<Plain<Note>>(log.note("resource"))?);
            Ok::<(), Error>(())
        })
        .unwrap();
    });
    // A handle that never goes keeps a few words of its own, and nothing of what it was one to.
    assert_eq!(log.count("drop resource"), 1);
    assert!(leaked.unwrap().try_access().is_none());
    assert_still(&platform, &count);
}
