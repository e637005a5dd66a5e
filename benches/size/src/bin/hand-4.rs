//! Four drivers by hand.
#![no_std]
#![no_main]

use size::by_hand::with;

size::program!(with::<0>(|| with::<1>(|| with::<2>(|| with::<3>(
    size::scoped::run
)))));
