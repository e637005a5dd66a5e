//! A port that `probe` hands out is used before `probe` has returned: no call is let in before there is data, and one that is sees all of
//! it.

use std::sync::Mutex;

use driver_scope::{Binding, Driver, DriverScope, Error, Port};
use loom::thread::{self, JoinHandle};

use crate::common::{Drops, Plain, Resource};
use crate::platform::LoomPlatform;
use crate::readers::{with_each_strategy, LoomSections};

with_each_strategy!(
    a_call_sees_all_of_the_data_or_none,
    a_call_to_a_driver_that_does_not_bind_is_refused,
    a_call_beside_probe_and_remove_sees_live_data,
);

/// A driver whose probe gives a port to another thread, then makes its data, or fails.
struct Early<const BINDS: bool>;

/// What two calls said.
type Said = [Result<u32, Error>; 2];

struct Device {
    drops: Drops,
    /// The other thread.
    caller: Mutex<Option<JoinHandle<Said>>>,
}

struct Data {
    resource: Resource,
    number: Plain<u32>,
}

impl<const BINDS: bool, S: LoomSections> Driver<LoomPlatform<S>> for Early<BINDS> {
    type Device = Device;
    type Data<'drv> = Data;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Device,
        scope: &DriverScope<'drv, LoomPlatform<S>>,
    ) -> Result<Data, Error> {
        let port: Port<Self, _> = scope.port()?;
        let caller = thread::spawn(move || {
            [(); 2].map(|()| {
                port.call(|data: &Data| {
                    data.resource.touch();
                    data.number.get()
                })
            })
        });
        *device.caller.lock().expect("nothing panics under it") = Some(caller);
        let data = Data {
            resource: device.drops.resource(),
            number: Plain::new(0),
        };
        data.number.set(7);
        BINDS.then_some(data).ok_or(Error::Unsupported)
    }
}

impl Device {
    fn new() -> Self {
        Device {
            drops: Drops::new(),
            caller: Mutex::new(None),
        }
    }

    fn join(&self) -> Said {
        let caller = self.caller.lock().expect("nothing panics under it").take();
        caller.expect("started by probe").join().unwrap()
    }
}

/// Fails when weakened by `counted-open-acquire`, `gate-open-release`, `gate-is-open-acquire`, `ports-opened-early`.
fn a_call_sees_all_of_the_data_or_none<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let binding: Binding<Early<true>, _> = platform
            .may_sleep(|cx| Binding::bind(platform.clone(), Device::new(), cx))
            .map_err(|error| error.error)
            .expect("it binds");
        let said = binding.device().join();
        assert!(
            matches!(
                said,
                [Err(Error::NotBound), Ok(7) | Err(Error::NotBound)] | [Ok(7), Ok(7)]
            ),
            "{said:?}"
        );
        let port = binding.port().expect("memory");
        assert_eq!(port.call(|data| data.number.get()), Ok(7));
    });
}

/// And stays so: the driver is gone before it was there.
///
/// Fails when weakened by `slots-enter-unchecked`, `gates-not-released`, `shared-drop-release`, `shared-drop-acquire`.
fn a_call_to_a_driver_that_does_not_bind_is_refused<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let bound = platform
            .may_sleep(|cx| Binding::<Early<false>, _>::bind(platform.clone(), Device::new(), cx));
        let device = bound.expect_err("it does not bind").device;
        assert_eq!(device.drops.get(), 1);
        let said = device.join();
        assert!(
            matches!(
                said,
                [Err(Error::NotBound), Err(Error::NotBound | Error::Gone)]
                    | [Err(Error::Gone), Err(Error::Gone)]
            ),
            "{said:?}"
        );
    });
}

/// Whether it comes before, between or after.
///
/// Fails when weakened by `counted-open-acquire`, `gate-open-release`, `gate-is-open-acquire`, `gate-not-for-good`,
/// `ports-not-closed`, `ports-not-awaited`, `ports-opened-early`, `ports-not-noted`.
fn a_call_beside_probe_and_remove_sees_live_data<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let device = platform.may_sleep(|cx| {
            let binding = Binding::<Early<true>, _>::bind(platform.clone(), Device::new(), cx);
            let binding = binding.map_err(|error| error.error).expect("it binds");
            binding.unbind(cx).expect("may sleep")
        });
        assert_eq!(device.drops.get(), 1);
        let [first, second] = device.join();
        let order = |said| match said {
            Err(Error::NotBound) => 0,
            Ok(7) => 1,
            Err(Error::Gone) => 2,
            other => panic!("{other:?}"),
        };
        assert!(order(first) <= order(second), "{first:?}, then {second:?}");
    });
}
