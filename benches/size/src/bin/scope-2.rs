//! Two drivers.
#![no_std]
#![no_main]

use size::scoped::{run, with};

size::program!(with::<0, 1>(|| with::<1, 1>(run)));
