//! Types that are forgotten: boxed callbacks, objects, `Any`; and values whose destructors call the driver.

use std::any::{Any, TypeId};
use std::collections::HashMap;

use super::*;
use driver_scope::{Restart, TimerContext, Work};

type Callback<'drv, P> = Box<dyn FnMut(&mut TimerContext<'_, P>) -> Restart + Send + 'drv>;

pub fn callbacks_are_boxed_objects<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (log, count) = (platform.log(), Count::default());
    run_on(&platform, |scope| {
        let owned = scope.own(log.note("owned"))?;
        let (captured, counted) = (log.note("captured"), count.clone());
        let callback: Callback<'_, _> = Box::new(move |t| {
            owned.log().add("ran");
            captured.log().add("ran");
            counted.fetch_add(1, SeqCst);
            t.restart_after(100.micros())
        });
        scope.hrtimer(callback)?.start(0.nanos())?;
        let action: Box<dyn FnOnce(MaySleep<'_>) + Send + '_> =
            Box::new(move |_| owned.log().add("action"));
        scope.on_remove(action)?;
        until(scope, || count.load(SeqCst) > 2);
        Ok(())
    });
    assert_still(&platform, &count);
    for line in ["drop captured", "drop owned", "action"] {
        assert_eq!(log.count(line), 1, "{line}");
    }
}

trait Stop {
    fn stop(&self);
}
impl<P: Platform> Stop for HrTimer<'_, P> {
    fn stop(&self) {
        self.try_cancel();
    }
}
impl<P: Platform> Stop for Work<'_, P> {
    fn stop(&self) {
        self.try_cancel();
    }
}

pub fn objects_of_handles_are_used_inside<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let count = Count::default();
    run_on(&platform, |scope| {
        let work = scope.work(|_| Restart::No)?;
        let all: Vec<Box<dyn Stop + '_>> = vec![Box::new(ticking(scope, &count)?), Box::new(work)];
        until(scope, || count.load(SeqCst) > 2);
        all.iter().for_each(|handle| handle.stop());
        leaked_on_purpose(all);
        Ok(())
    });
    assert_still(&platform, &count);
}

pub fn a_resource_goes_through_any<P: TestPlatform>() {
    type Outside<P> = Devres<HrTimer<'static, Metered<P>>, Metered<P>>;

    let platform = Metered::<P>::fresh();
    let count = Count::default();
    let mut services: HashMap<TypeId, Box<dyn Any + Send + Sync>> = HashMap::new();
    platform.lend_sleep(|cx| {
        enter(platform.clone(), cx, &(), |(), scope| {
            let timer = ticking(scope, &count)?;
            let outside: Outside<P> = scope.devres::<HrTimer<'static, _>>(timer)?.devres();
            services.insert(TypeId::of::<Outside<P>>(), Box::new(outside));
            Ok::<(), Error>(())
        })
        .unwrap();
    });
    let found = services
        .remove(&TypeId::of::<Outside<P>>())
        .and_then(|service| service.downcast::<Outside<P>>().ok())
        .expect("it was put there");
    assert!(found
        .try_access_with(|timer| timer.start(0.nanos()))
        .is_none());
    assert_still(&platform, &count);
    drop(found);
    platform.assert_at_rest();
}

pub fn a_driver_goes_through_any<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (binding, count) = bind(&platform);
    let port = binding.port().unwrap();
    let erased: Vec<Box<dyn Any + Send + Sync>> = vec![Box::new(port), Box::new(binding)];
    let port = erased[0]
        .downcast_ref::<Port<Ticker, Metered<P>>>()
        .expect("its own type")
        .clone();
    assert!(port.call(|data| data.timer.is_active()).unwrap());
    drop(erased);
    assert_eq!(port.call(|_| ()), Err(Error::Gone));
    assert_still(&platform, &count);
    drop(port);
    platform.assert_at_rest();
}

/// Calls the driver when it is dropped, and logs what came of it.
struct Caller<P: TestPlatform>(Port<Ticker, Metered<P>>, Log);
impl<P: TestPlatform> Drop for Caller<P> {
    fn drop(&mut self) {
        let answer = self.0.call(|data| data.timer.is_active());
        self.1.add(format!("{answer:?}"));
    }
}

pub fn owned_values_call_the_driver_when_they_drop<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, count) = bind(&platform);
    platform.lend_sleep(|cx| {
        binding.with_scope(cx, |_, scope| {
            let caller = Caller::<P>(scope.port::<Ticker>().unwrap(), log.clone());
            let captured = Caller::<P>(scope.port::<Ticker>().unwrap(), log.clone());
            scope.own(caller).unwrap();
            let timer = scope.hrtimer(move |_| {
                let _ = &captured;
                Restart::No
            });
            timer.unwrap().start(0.nanos()).unwrap();
        });
    });
    drop(binding);
    assert_eq!(log.count("Err(Gone)"), 2);
    assert_still(&platform, &count);
    platform.assert_at_rest();
}

pub fn the_device_calls_the_driver_when_it_drops<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (device, count) = device::<P>(&log);
    let bound = platform.lend_sleep(|cx| Binding::<Ticker, _>::bind(platform.clone(), device, cx));
    let binding = bound.map_err(|failed| failed.error).unwrap();
    let caller = Caller(binding.port().unwrap(), log.clone());
    *binding.device().kept.lock().unwrap() = Some(Box::new(caller));
    let device = platform.lend_sleep(|cx| binding.unbind(cx).ok()).unwrap();
    assert_eq!(log.count("Err(Gone)"), 0);
    drop(device);
    assert_eq!(log.count("Err(Gone)"), 1);
    assert_still(&platform, &count);
    platform.assert_at_rest();
}
