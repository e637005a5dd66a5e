//! A driver is removed while calls come in by a port: its data is there until the last call has returned, and what that wrote is seen.

use driver_scope::{Binding, Driver, DriverScope, Error, Port};
use loom::thread::{self, JoinHandle};

use crate::common::{bounded, callback, Drops, Resource};
use crate::platform::LoomPlatform;
use crate::readers::{with_each_strategy, LoomSections};

with_each_strategy!(
    the_data_outlives_the_call,
    the_data_outlives_two_calls,
    a_port_may_be_the_last_of_a_driver,
    a_port_may_be_the_last_of_a_driver_in_a_callback,
);

/// A driver with data that is watched.
struct Server;

impl<S: LoomSections> Driver<LoomPlatform<S>> for Server {
    type Device = Drops;
    type Data<'drv> = Resource;
    type Error = Error;

    fn probe<'drv>(
        drops: &'drv Drops,
        _scope: &DriverScope<'drv, LoomPlatform<S>>,
    ) -> Result<Resource, Error> {
        Ok(drops.resource())
    }
}

type Serving<S> = Binding<Server, LoomPlatform<S>>;

fn bind<S: LoomSections>(platform: &LoomPlatform<S>) -> Serving<S> {
    platform
        .may_sleep(|cx| Binding::bind(platform.clone(), Drops::new(), cx))
        .expect("it binds")
}

/// Removes the driver; its data is gone then.
fn unbind<S: LoomSections>(platform: &LoomPlatform<S>, binding: Serving<S>) {
    let drops = platform
        .may_sleep(|cx| binding.unbind(cx))
        .expect("may sleep");
    assert_eq!(drops.get(), 1);
}

fn spawn_call<S: LoomSections>(port: Port<Server, LoomPlatform<S>>) -> JoinHandle<()> {
    thread::spawn(move || {
        if let Err(error) = port.call(|data| data.touch()) {
            assert_eq!(error, Error::Gone);
            assert!(!port.is_open());
        }
    })
}

/// Later calls are refused.
///
/// Fails when weakened by `slots-wait-fence`, `slots-leave-release`, `gate-not-for-good`, `ports-not-awaited`,
/// `gates-not-released`, `readers-visit-mine`.
fn the_data_outlives_the_call<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let binding = bind(&platform);
        let port = binding.port().expect("memory");
        let caller = spawn_call(port.clone());
        unbind(&platform, binding);
        assert_eq!(port.call(|_| ()), Err(Error::Gone));
        caller.join().unwrap();
    });
}

/// By ports that are clones of each other; a call inside a call counts as one of its own.
///
/// Fails when weakened by `slots-wait-everything-only`, `counted-refused-not-taken-back`, `ports-not-closed`, `ports-not-awaited`,
/// `shared-drop-acquire`, `readers-heavy`.
fn the_data_outlives_two_calls<S: LoomSections>() {
    // Three threads around one gate do not finish unbounded.
    bounded(3, || {
        let platform = LoomPlatform::<S>::with_sections();
        let binding = bind(&platform);
        let ports = [(); 2].map(|()| binding.port().expect("memory"));
        let callers = ports.map(|port| {
            thread::spawn(move || {
                let called = port.call(|data| {
                    data.look();
                    // The inner call may come too late, while the outer one is let go on.
                    let _ = port.call(|data| data.look());
                    data.look();
                });
                assert!(matches!(called, Ok(()) | Err(Error::Gone)));
            })
        });
        unbind(&platform, binding);
        for caller in callers {
            caller.join().unwrap();
        }
    });
}

/// The last port goes while the teardown gives up the gates: one of the two gives their memory back, when the other is through with it.
///
/// Fails when weakened by `slots-enter-fence`, `slots-wait-first-note-only`, `gate-not-shut`, `ports-not-awaited`,
/// `ports-not-noted`, `shared-drop-release`, `readers-light`.
fn a_port_may_be_the_last_of_a_driver<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let binding = bind(&platform);
        let caller = spawn_call(binding.port().expect("memory"));
        unbind(&platform, binding);
        caller.join().unwrap();
    });
}

/// In a callback memory is not given back: that is deferred.
///
/// Fails when weakened by `slots-wait-first-acquire`, `slots-wait-again-acquire`, `slots-enter-unchecked`, `counted-leave-release`,
/// `shared-freed-in-callback`, `shared-defer-borrows-itself`.
fn a_port_may_be_the_last_of_a_driver_in_a_callback<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let binding = bind(&platform);
        let port = binding.port().expect("memory");
        let caller = thread::spawn(move || {
            callback(|| {
                let _ = port.call(|data| data.touch());
                drop(port);
            });
        });
        unbind(&platform, binding);
        platform.try_run_deferred();
        caller.join().unwrap();
        platform.try_run_deferred();
    });
}
