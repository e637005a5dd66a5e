//! A port call removes the driver that it is inside of: it would wait for itself, so it is told, or the remove comes later. (Cells tell
//! that the caller is inside; a count does not.)

use std::sync::Mutex;

use driver_scope::{Binding, Driver, DriverScope, Error};
use loom::sync::Arc;
use loom::thread;

use crate::common::{Drops, Resource};
use crate::platform::LoomPlatform;
use crate::readers::LoomSlots;

type Sections = LoomPlatform<LoomSlots>;

/// A driver with data that is watched.
struct Server;

impl Driver<Sections> for Server {
    type Device = ();
    type Data<'drv> = (Resource, &'drv ());
    type Error = Error;

    fn probe<'drv>(
        device: &'drv (),
        scope: &DriverScope<'drv, Sections>,
    ) -> Result<Self::Data<'drv>, Error> {
        let _ = scope;
        Ok((Drops::new().resource(), device))
    }
}

type Slot = Arc<Mutex<Option<Binding<Server, Sections>>>>;

fn bind(platform: &Sections) -> Binding<Server, Sections> {
    platform
        .may_sleep(|cx| Binding::bind(platform.clone(), (), cx))
        .expect("it binds")
}

/// The deferred remove runs while the call is still inside, and waits for it.
///
/// Fails when weakened by `gate-not-for-good`, `ports-not-awaited`, `binding-removed-in-a-call`, `readers-visit-mine`.
#[test]
fn a_binding_dropped_in_a_call_is_removed_after_it() {
    loom::model(|| {
        let platform = LoomPlatform::<LoomSlots>::with_sections();
        let binding = bind(&platform);
        let port = binding.port().expect("memory");
        let remover = {
            let platform = platform.clone();
            thread::spawn(move || platform.run_deferred())
        };
        let called = port.call(|(data, _)| {
            drop(binding);
            data.touch();
        });
        assert_eq!(called, Ok(()));
        remover.join().unwrap();
        assert_eq!(port.call(|_| ()), Err(Error::Gone));
    });
}

/// `unbind` gives the binding back instead, also in a call to another driver; a second call reads the data meanwhile.
///
/// Fails when weakened by `ports-not-closed`, `ports-not-noted`, `gates-not-released`, `binding-removed-in-a-call`.
#[test]
fn an_unbind_in_a_call_is_refused() {
    loom::model(|| {
        let platform = LoomPlatform::<LoomSlots>::with_sections();
        let slot: Slot = Arc::new(Mutex::new(Some(bind(&platform))));
        let port = {
            let slot = slot.lock().expect("nothing panics");
            slot.as_ref()
                .expect("just put there")
                .port()
                .expect("memory")
        };
        let other = {
            let port = port.clone();
            thread::spawn(move || port.call(|(data, _)| data.look()))
        };
        port.call(|(data, _)| {
            let binding = slot.lock().expect("nothing panics").take();
            let binding = binding.expect("still there");
            let busy = platform
                .may_sleep(|cx| binding.unbind(cx))
                .expect_err("inside a call");
            *slot.lock().expect("nothing panics") = Some(busy.0);
            data.look();
        })
        .expect("bound");
        let binding = slot.lock().expect("nothing panics").take();
        platform
            .may_sleep(|cx| binding.expect("still there").unbind(cx))
            .expect("outside");
        assert!(matches!(other.join().unwrap(), Ok(()) | Err(Error::Gone)));
    });
}
