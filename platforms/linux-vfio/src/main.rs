//! The edu driver in user space behind an IOMMU, as the init of a Linux guest.
//!
//! Loads `vfio-pci`, binds it to the device, and runs the checks of `linux-guest`, and those of transfers that come late. The device reaches only memory that its driver
//! has, and whose addresses the IOMMU translates; its interrupt is a message, which the kernel passes on by an eventfd.

#![deny(
    unsafe_op_in_unsafe_fn,
    missing_docs,
    clippy::undocumented_unsafe_blocks
)]

mod dma;
mod iova;
mod kernel_log;
mod late;
mod vfio;

use std::process::ExitCode;
use std::sync::Arc;

use driver_scope::platform::IrqLine;
use driver_scope::PciDevice;
use linux_guest::{guest, job, Bar, Device, Interrupts, Report, Step, User};

use dma::{Iommu, Reach};
use vfio::Function;

/// QEMU's edu.
const VENDOR: u16 = 0x1234;
const DEVICE: u16 = 0x11e8;

const DRIVER: &str = "vfio-pci";

/// In the order in which one needs the other.
const MODULES: [&str; 6] = [
    "irqbypass",
    "vfio",
    "vfio_virqfd",
    "vfio_iommu_type1",
    "vfio-pci-core",
    DRIVER,
];

type Vfio = User<Iommu>;

fn main() -> ExitCode {
    guest::init("VFIO", &MODULES, checks)
}

/// Every check in order. The error is the name of a step without which the rest makes no sense.
fn checks(report: &mut Report) -> Step<()> {
    let device = report.step("bind", bind())?;
    report.info(&format!("edu at {}", device.address()));
    let function = report.step("vfio", open(&device))?;
    let user = job::platform(report)?;
    let (pci, interrupts) = report.step("pci-device", pci_device(&device, &function))?;
    let pci = job::run(&user, pci, report)?;
    late::run(&user, &pci, &device, report);
    drop(interrupts);
    Ok(())
}

fn bind() -> Result<Device, String> {
    let device = Device::find(VENDOR, DEVICE)?;
    device.bind(DRIVER)?;
    Ok(device)
}

fn open(device: &Device) -> Result<Arc<Function>, String> {
    Function::open(&device.iommu_group()?, &device.address()).map(Arc::new)
}

/// The device as its driver sees it, and what raises its interrupt.
fn pci_device(
    device: &Device,
    function: &Arc<Function>,
) -> Result<(PciDevice<Vfio>, Interrupts), String> {
    let fail = |error: std::io::Error| error.to_string();
    let bar = function.region(vfio::BAR0).map_err(fail)?;
    let len = usize::try_from(bar.size).map_err(|error| error.to_string())?;
    let bar = Bar::new(function.device().map_err(fail)?, bar.offset, len);
    let line = IrqLine::new();
    let event = function.message().map_err(fail)?;
    let interrupts = Interrupts::of_messages(event, line.clone()).map_err(fail)?;
    let (vendor, id) = device.id();
    let pci = PciDevice::new(vendor, id)
        .with_bar(0, bar)
        .and_then(|pci| pci.with_irq(0, line))
        .map_err(|error| error.to_string())?
        .with_dma(Reach::of(function));
    Ok((pci, interrupts))
}
