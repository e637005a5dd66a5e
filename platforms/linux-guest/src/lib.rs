//! What drivers in user space have in common, whatever the kernel gives them their device by: a bus whose regions are mapped, a thread
//! that turns what a file says into interrupts, the device in sysfs. And what the guests share in which they are tried: an init, a
//! report for `cargo xtask qemu` to judge, and the checks on an edu device.

#![deny(
    unsafe_op_in_unsafe_fn,
    missing_docs,
    clippy::undocumented_unsafe_blocks
)]

pub mod bus;
pub mod config;
pub mod guest;
pub mod interrupts;
pub mod job;
pub mod mapping;
pub mod report;
pub mod sysfs;

pub use bus::{Bar, User};
pub use interrupts::Interrupts;
pub use report::Report;
pub use sysfs::Device;

/// What a step that others depend on gives: the error is its name, and has been reported.
pub type Step<T> = Result<T, &'static str>;
