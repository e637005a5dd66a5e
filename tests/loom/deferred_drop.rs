//! A `Binding` dropped inside a callback: the teardown happens later, elsewhere, and so two bindings that drop each other cannot wait
//! for each other.

use std::sync::{Arc, Mutex};

use driver_scope::{Binding, Driver, DriverScope, Error, HrTimer, Restart};

use crate::common::{at, Guarded};
use crate::platform::LoomPlatform;

/// Where a callback finds the binding to drop. Not a lock of loom: the order of its users is given by the timers.
type Slot = Arc<Mutex<Option<Binding<Dropper, LoomPlatform>>>>;

/// A driver whose callback drops what is in the slot.
struct Dropper;

impl Driver<LoomPlatform> for Dropper {
    type Device = Slot;
    type Data<'drv> = HrTimer<'drv, LoomPlatform>;
    type Error = Error;

    fn probe<'drv>(
        slot: &'drv Slot,
        scope: &DriverScope<'drv, LoomPlatform>,
    ) -> Result<Self::Data<'drv>, Error> {
        let capture = Guarded::new();
        scope.hrtimer(move |_| {
            capture.touch();
            let binding = slot.lock().expect("nothing panics").take();
            drop(binding);
            Restart::No
        })
    }
}

fn bind(platform: &LoomPlatform, slot: &Slot) -> Binding<Dropper, LoomPlatform> {
    platform
        .may_sleep(|cx| Binding::bind(platform.clone(), Arc::clone(slot), cx))
        .map_err(|error| error.error)
        .expect("it binds")
}

fn start(binding: &Binding<Dropper, LoomPlatform>) {
    binding.with(|timer| timer.start_at(at(0))).expect("open");
}

/// The dropped binding's timer fires, or is about to, while another thread tears it down.
///
/// Also the last touch of the storage: the deferred call may be over, and the binding's platform gone, before the platform's
/// `defer` has returned.
///
/// Fails when weakened by `teardown-no-shut`, `queue-shut-does-not-wait`, `queue-running-not-noted`,
/// `binding-not-deferred`, `storage-defer-borrows-itself`, `platform-finished-early`.
#[test]
fn a_binding_dropped_in_a_callback_is_torn_down_elsewhere() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        let (slot, nothing) = (Slot::default(), Slot::default());
        let dropped = bind(&platform, &nothing);
        let dropper = bind(&platform, &slot);
        start(&dropper);
        start(&dropped);
        *slot.lock().unwrap() = Some(dropped);
        let expirer = platform.spawn_expire(at(0));
        platform.run_deferred();
        expirer.join().unwrap();
        drop(dropper);
        assert!(platform.is_idle());
    });
}

/// ABBA: each callback drops the binding of the other, on two platforms, so that both run at once; and both may be torn down
/// while they do.
///
/// Fails when weakened by `teardown-no-shut`, `queue-shut-does-not-wait`, `queue-running-not-noted`,
/// `binding-not-deferred`, `storage-defer-borrows-itself`, `platform-finished-early`.
#[test]
fn two_bindings_that_drop_each_other_do_not_hang() {
    loom::model(|| {
        let (one, two) = (LoomPlatform::new(), LoomPlatform::new());
        let (slot_one, slot_two) = (Slot::default(), Slot::default());
        let first = bind(&one, &slot_two);
        let second = bind(&two, &slot_one);
        start(&first);
        start(&second);
        *slot_one.lock().unwrap() = Some(first);
        *slot_two.lock().unwrap() = Some(second);
        let expirers = [one.spawn_expire(at(0)), two.spawn_expire(at(0))];
        one.try_run_deferred();
        two.try_run_deferred();
        for expirer in expirers {
            expirer.join().unwrap();
        }
        one.try_run_deferred();
        two.try_run_deferred();
        // One that was torn down before its timer fired has left the other alone.
        for slot in [slot_one, slot_two] {
            let left = slot.lock().unwrap().take();
            drop(left);
        }
        assert!(one.is_idle() && two.is_idle());
    });
}
