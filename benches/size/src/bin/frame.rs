//! The platform and its timer queue, which nobody uses.
#![no_std]
#![no_main]

size::program!(size::scoped::run());
