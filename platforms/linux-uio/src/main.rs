//! The edu driver in user space, as the init of a Linux guest.
//!
//! Loads `uio_pci_generic`, binds it to the device, and runs the checks of `linux-guest`. There is no IOMMU, so the device has no way to memory.

#![forbid(unsafe_code)]

use std::fs::OpenOptions;
use std::process::ExitCode;

use driver_scope::platform::{IrqLine, NoDma};
use driver_scope::PciDevice;
use linux_guest::{guest, job, Device, Interrupts, Report, Step, User};

/// QEMU's edu.
const VENDOR: u16 = 0x1234;
const DEVICE: u16 = 0x11e8;

const DRIVER: &str = "uio_pci_generic";

type Uio = User<NoDma>;

fn main() -> ExitCode {
    guest::init("UIO", &["uio", DRIVER], checks)
}

/// Every check in order. The error is the name of a step without which the rest makes no sense.
fn checks(report: &mut Report) -> Step<()> {
    let device = report.step("bind", bind())?;
    report.info(&format!("edu at {}", device.address()));
    let uio = job::platform(report)?;
    let (function, interrupts) = report.step("pci-device", pci_device(&device))?;
    job::run(&uio, function, report)?;
    drop(interrupts);
    Ok(())
}

fn bind() -> Result<Device, String> {
    let device = Device::find(VENDOR, DEVICE)?;
    device.bind(DRIVER)?;
    device.enable_memory()?;
    Ok(device)
}

/// The device as its driver sees it, and what raises its interrupt.
fn pci_device(device: &Device) -> Result<(PciDevice<Uio>, Interrupts), String> {
    let path = device.uio()?;
    // Written, too, by those drivers that can be told there to unmask the interrupt; this one cannot.
    let file = OpenOptions::new().read(true).open(&path);
    let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
    let line = IrqLine::new();
    let interrupts = Interrupts::of_level(file, device.config()?, line.clone())
        .map_err(|error| error.to_string())?;
    let (vendor, id) = device.id();
    let function = PciDevice::new(vendor, id)
        .with_bar(0, device.bar(0)?)
        .and_then(|function| function.with_irq(0, line))
        .map_err(|error| error.to_string())?;
    Ok((function, interrupts))
}
