//! The edu driver in user space, as the init of a Linux guest.
//!
//! Mounts what it needs, loads `uio_pci_generic`, binds it to the device, runs [`job`], and powers the
//! machine off whatever happened. Every step is reported on the console, where `cargo xtask qemu uio`
//! judges it.

#![deny(
    unsafe_op_in_unsafe_fn,
    missing_docs,
    clippy::undocumented_unsafe_blocks
)]

mod guest;
mod job;
mod platform;
mod report;
mod sysfs;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use report::Report;
use sysfs::Device;

/// QEMU's edu.
const VENDOR: u16 = 0x1234;
const DEVICE: u16 = 0x11e8;

const UIO_DRIVER: &str = "uio_pci_generic";

fn main() -> ExitCode {
    // It mounts, binds and powers off: nothing to be tried out on one's own machine.
    if !guest::is_init() {
        eprintln!("edu-uio is the init of a virtual machine; run it with `cargo xtask qemu uio`");
        return ExitCode::from(2);
    }
    let mut report = Report::default();
    // An init that unwinds out of `main` panics the kernel, which would bury the report.
    let run = panic::catch_unwind(AssertUnwindSafe(|| checks(&mut report)));
    match run {
        Ok(Ok(())) => {}
        Ok(Err(step)) => report.info(&format!("stopped: nothing can follow a failed `{step}`")),
        Err(_) => report.check("no-panic", Err("init panicked".into())),
    }
    report.finish();
    guest::power_off()
}

/// Every check in order. The error is the name of a step without which the rest makes no sense.
fn checks(report: &mut Report) -> Result<(), &'static str> {
    report.step("mounts", guest::mount_all())?;
    report.info(&format!("Linux {}", guest::kernel_release()));
    report.step("modules", guest::load_modules(&["uio", UIO_DRIVER]))?;
    let device = report.step("bind", bind())?;
    report.info(&format!("edu at {}", device.address()));
    job::run(&device, report)?;
    report.check("kernel-clean", guest::kernel_clean());
    Ok(())
}

fn bind() -> Result<Device, String> {
    let device = Device::find(VENDOR, DEVICE)?;
    device.bind(UIO_DRIVER)?;
    device.enable_memory()?;
    Ok(device)
}
