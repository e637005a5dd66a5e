//! One driver by hand.
#![no_std]
#![no_main]

use size::by_hand::with;

size::program!(with::<0>(size::scoped::run));
