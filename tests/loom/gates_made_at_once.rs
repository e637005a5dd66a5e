//! Two threads are the first to want a scope's gates: both get the same, whole, and nothing of the other pair stays.

use std::sync::Arc;

use driver_scope::{Binding, Driver, DriverScope, Error};
use loom::thread;

use crate::common::Plain;
use crate::platform::LoomPlatform;
use crate::readers::{with_each_strategy, LoomSections};

with_each_strategy!(
    both_ports_are_closed_by_the_remove,
    a_devres_and_a_port_are_ended_by_the_remove,
);

struct Server;

impl<S: LoomSections> Driver<LoomPlatform<S>> for Server {
    type Device = ();
    type Data<'drv> = Plain<u32>;
    type Error = Error;

    fn probe<'drv>(
        (): &'drv (),
        _scope: &DriverScope<'drv, LoomPlatform<S>>,
    ) -> Result<Plain<u32>, Error> {
        Ok(Plain::new(7))
    }
}

fn bind<S: LoomSections>() -> Arc<Binding<Server, LoomPlatform<S>>> {
    let platform = LoomPlatform::<S>::with_sections();
    let binding = platform.may_sleep(|cx| Binding::bind(platform.clone(), (), cx));
    Arc::new(binding.expect("it binds"))
}

/// Fails when weakened by `ports-not-closed`, `gates-made-release`, `gates-get-acquire`, `gates-made-acquire`, `gates-second-pair`,
/// `gates-loser-kept`.
fn both_ports_are_closed_by_the_remove<S: LoomSections>() {
    loom::model(|| {
        let binding = bind::<S>();
        let port = |binding: &Binding<Server, LoomPlatform<S>>| {
            let port = binding.port().expect("memory");
            assert_eq!(port.call(Plain::get), Ok(7));
            port
        };
        let other = {
            let binding = Arc::clone(&binding);
            thread::spawn(move || port(&binding))
        };
        let ports = [port(&binding), other.join().unwrap()];
        // The last of the two.
        drop(binding);
        for port in ports {
            assert_eq!(port.call(Plain::get), Err(Error::Gone));
        }
    });
}

/// Fails when weakened by `gate-not-for-good`, `devres-not-closed`, `gates-made-release`, `gates-get-acquire`,
/// `gates-made-acquire`, `gates-second-pair`, `gates-loser-kept`.
fn a_devres_and_a_port_are_ended_by_the_remove<S: LoomSections>() {
    loom::model(|| {
        let binding = bind::<S>();
        let other = {
            let binding = Arc::clone(&binding);
            thread::spawn(move || {
                binding.platform().may_sleep(|cx| {
                    binding.with_scope(cx, |_, scope| {
                        let value = Plain::new(8);
                        let devres = scope.devres::<driver_scope::Plain<Plain<u32>>>(value);
                        devres.expect("open").devres()
                    })
                })
            })
        };
        let port = binding.port().expect("memory");
        assert_eq!(port.call(Plain::get), Ok(7));
        let devres = other.join().unwrap();
        assert_eq!(devres.try_access_with(Plain::get), Some(8));
        drop(binding);
        assert_eq!(port.call(Plain::get), Err(Error::Gone));
        assert!(devres.try_access().is_none());
    });
}
