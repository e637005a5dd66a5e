//! Attacks that compile, and must come to nothing: what is left of those in `ui-tests/` when the part is taken out that the compiler refuses. After the end
//! of a scope nothing of its driver runs, everything is dropped once, and all memory is given back; under AddressSanitizer and valgrind nothing is found.
//!
//! Seen to fail without the sweep of the teardown, and with captured values that are dropped after what they borrow.
#![allow(clippy::forget_non_drop, forgetting_copy_types)] // That it changes nothing is what is tested.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use common::{leaked_on_purpose, run_on, until, Log, Metered, Note, TestPlatform};
use driver_scope::{
    enter, Binding, Devres, Driver, DriverScope, Error, HrTimer, MaySleep, Platform, Port, Restart,
    Units,
};

mod common;
#[path = "harmless/erased.rs"]
mod erased;
#[path = "harmless/futures.rs"]
mod futures;
#[path = "harmless/leaks.rs"]
mod leaks;
#[path = "harmless/macros.rs"]
mod macros;
#[path = "harmless/swaps.rs"]
mod swaps;
#[path = "harmless/unwinding.rs"]
mod unwinding;

use erased::*;
use futures::*;
use leaks::*;
use swaps::*;
use unwinding::*;

on_every_platform!(
    work_and_sleeps_are_forgotten,
    a_child_is_forgotten,
    a_binding_is_kept_by_its_own_device,
    a_binding_is_the_payload_of_a_panic,
    a_resource_is_leaked_for_ever,
    callbacks_are_boxed_objects,
    objects_of_handles_are_used_inside,
    a_resource_goes_through_any,
    a_driver_goes_through_any,
    owned_values_call_the_driver_when_they_drop,
    the_device_calls_the_driver_when_it_drops,
    a_destructor_polls_a_sleep,
    a_waker_starts_a_timer,
    a_future_moves_between_threads_and_is_leaked,
    handles_of_one_scope_are_swapped,
    vacant_timers_of_one_scope_are_swapped,
    allocated_memory_is_a_cycle,
    values_are_taken_out_of_allocated_memory,
    handles_come_from_a_lazy_iterator,
    scoped_threads_use_the_handles_to_the_end,
    a_destructor_uses_everything_while_unwinding,
    a_payload_carries_a_resource_out,
    handles_go_on_after_a_caught_panic,
    captured_values_see_what_they_borrow_when_they_drop,
);

/// How often callbacks have run, for who looks whether they still do.
type Count = Arc<AtomicU32>;

/// A timer that counts, and goes on for ever.
fn ticking<'drv, P: Platform>(
    scope: &DriverScope<'drv, P>,
    count: &Count,
) -> Result<HrTimer<'drv, P>, Error> {
    let count = count.clone();
    let timer = scope.hrtimer(move |t| {
        count.fetch_add(1, SeqCst);
        t.restart_after(200.micros())
    })?;
    timer.start(0.nanos())?;
    Ok(timer)
}

/// Lets time pass, and checks that nothing has been counted in it.
#[track_caller]
fn assert_still<P: TestPlatform>(platform: &Metered<P>, count: &Count) {
    let before = count.load(SeqCst);
    platform.lend_sleep(|cx| platform.sleep(cx, 3.millis()));
    assert_eq!(count.load(SeqCst), before, "it went on");
}

/// A driver with a timer that counts in its device.
struct Ticker;

struct TickerDevice<P: TestPlatform> {
    count: Count,
    /// Whatever a test wants to have dropped with the device.
    kept: Mutex<Option<Box<dyn Send>>>,
    /// A port to the driver itself.
    port: Mutex<Option<Port<Ticker, Metered<P>>>>,
    _note: Note,
}

struct TickerData<'drv, P: TestPlatform> {
    timer: HrTimer<'drv, Metered<P>>,
    device: &'drv TickerDevice<P>,
}

impl<P: TestPlatform> Driver<Metered<P>> for Ticker {
    type Device = TickerDevice<P>;
    type Data<'drv> = TickerData<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv TickerDevice<P>,
        scope: &DriverScope<'drv, Metered<P>>,
    ) -> Result<TickerData<'drv, P>, Error> {
        *device.port.lock().unwrap() = Some(scope.port::<Ticker>()?);
        let timer = ticking(scope, &device.count)?;
        Ok(TickerData { timer, device })
    }
}

/// A device, and the count of its timer.
fn device<P: TestPlatform>(log: &Log) -> (TickerDevice<P>, Count) {
    let count = Count::default();
    let device = TickerDevice {
        count: count.clone(),
        kept: Mutex::new(None),
        port: Mutex::new(None),
        _note: log.note("device"),
    };
    (device, count)
}

/// A bound driver, and the count of its timer.
fn bind<P: TestPlatform>(platform: &Metered<P>) -> (Binding<Ticker, Metered<P>>, Count) {
    let (device, count) = device(&platform.log());
    let bound = platform.lend_sleep(|cx| Binding::bind(platform.clone(), device, cx));
    (bound.map_err(|failed| failed.error).unwrap(), count)
}
