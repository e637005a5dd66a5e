//! No task: the executor and the timer queue of embassy.
#![no_std]
#![no_main]

size::program!(size::tasks::run(|_| {}, |_| true));
