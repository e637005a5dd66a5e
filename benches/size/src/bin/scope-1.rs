//! One driver.
#![no_std]
#![no_main]

use size::scoped::{run, with};

size::program!(with::<0, 1>(run));
