//! The same small driver, three times: with a scope, by hand on the same platform, and as a task of embassy.
//!
//! Each counts milliseconds in a register of its device, until it is removed. A program has some of them; it ends with the exit status that says whether they
//! did what they should. What is compared is how much code that takes.
#![no_std]

pub mod by_hand;
// As it is there: that program needs no `Default`.
#[allow(clippy::new_without_default)]
#[path = "../../../tests/no-alloc/src/platform.rs"]
pub mod platform;
pub mod scoped;
pub mod sys;
pub mod tasks;

use platform::RamRegion;

/// How long the programs have their drivers run.
pub const MILLIS: u32 = 10;

/// The devices of a program.
pub static DEVICES: [RamRegion; 4] = [const { RamRegion::new() }; 4];

/// What a device's registers hold.
#[must_use]
pub fn holds(device: usize, count: u32, stopped: u32) -> bool {
    let device = &DEVICES[device];
    device.peek(0) == count && device.peek(4) == stopped
}

/// Makes a program of an expression that says whether all went well.
#[macro_export]
macro_rules! program {
    ($run:expr) => {
        #[no_mangle]
        fn program() -> bool {
            $run
        }
    };
}
