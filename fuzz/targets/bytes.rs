//! Any sequence of operations on device memory does what it would do to an array of bytes.
//!
//! The operations, and what they are compared with, are those of the random test in `tests/mmio.rs`. Here the fuzzer chooses the bytes that spell them,
//! and keeps those that reach new code.
#![no_main]

use driver_scope::enter;
use driver_scope::platform::Sim;
use libfuzzer_sys::fuzz_target;

// The tests use more of it.
#[allow(dead_code)]
#[path = "../../tests/mmio/device.rs"]
mod device;
#[path = "../../tests/mmio/steps.rs"]
mod steps;

fuzz_target!(|input: &[u8]| {
    let sim = Sim::new();
    let result =
        sim.may_sleep(|cx| enter(sim.clone(), cx, &(), |(), scope| steps::run(scope, input)));
    result.expect("there is memory for a mapping");
});
