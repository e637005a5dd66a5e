//! One driver with two timers.
#![no_std]
#![no_main]

use size::scoped::{run, with};

size::program!(with::<0, 2>(run));
