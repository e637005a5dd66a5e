//! What a driver may leave behind: an interrupt's handler, a region, a mapping, an enabled device, memory.

use std::ffi::CStr;
use std::path::Path;

use linux_guest::Report;
use rustix::mount::{mount, MountFlags};

use crate::module::{self, folder, read, write, Module};

const KMEMLEAK: &str = "/sys/kernel/debug/kmemleak";

/// Mounts what the checks look at, where the kernel has it.
pub fn mount_debugfs(report: &Report) {
    let no_data: Option<&CStr> = None;
    for (kind, target) in [
        ("debugfs", "/sys/kernel/debug"),
        ("tracefs", "/sys/kernel/tracing"),
    ] {
        if let Err(error) = mount(kind, target, kind, MountFlags::empty(), no_data) {
            report.info(&format!("no {target}: {error}"));
        }
    }
}

/// Fails unless the driver has what it has while it is bound: else `nothing_left` would look in the wrong place.
pub fn something_there(module: Module) -> Result<(), String> {
    for (file, found) in in_use(module.name)? {
        if found.is_none() {
            return Err(format!("nothing of the driver in {file}"));
        }
    }
    if enabled()? {
        Ok(())
    } else {
        Err("the device is not enabled".into())
    }
}

/// Fails if anything is left of the driver, which is not bound.
pub fn nothing_left(module: Module) -> Result<(), String> {
    for (file, found) in in_use(module.name)? {
        if let Some(line) = found {
            return Err(format!("{file}: {line}"));
        }
    }
    let messages = folder()?.join("msi_irqs");
    if messages.exists() {
        return Err(format!("{} is still there", messages.display()));
    }
    if module.disables && enabled()? {
        return Err("the device is still enabled".into());
    }
    Ok(())
}

/// Files of the kernel's, with a line in each that speaks of the driver, if there is any.
fn in_use(name: &str) -> Result<[(&'static str, Option<String>); 3], String> {
    // The handler and the region have the name of the driver, or that of the device.
    let address = module::device()?.address();
    let named = |line: &str| {
        line.split([' ', ':', ',']).any(|word| word == name)
            || line.split(' ').any(|word| word == address)
    };
    let interrupts = read("/proc/interrupts")?;
    let interrupts = interrupts.lines().find(|line| named(line));
    // A bus, a device and then who has it: the device itself is no leak.
    let regions = read("/proc/iomem")?;
    let regions = regions
        .lines()
        .find(|line| line.starts_with("    ") && line.rsplit(" : ").next() == Some(name));
    let mapped = mapped()?;
    Ok([
        ("/proc/interrupts", interrupts.map(ToOwned::to_owned)),
        ("/proc/iomem", regions.map(ToOwned::to_owned)),
        ("/proc/vmallocinfo", mapped),
    ])
}

/// The mapping of the device's registers.
fn mapped() -> Result<Option<String>, String> {
    let resources = read(folder()?.join("resource"))?;
    let start = resources.split(' ').next().unwrap_or_default();
    let start = u64::from_str_radix(start.trim_start_matches("0x"), 16)
        .map_err(|error| format!("resource: {error}"))?;
    let mapping = format!("phys={start:#018x} ioremap");
    let mappings = read("/proc/vmallocinfo")?;
    Ok(mappings
        .lines()
        .find(|line| line.contains(&mapping))
        .map(ToOwned::to_owned))
}

fn enabled() -> Result<bool, String> {
    Ok(read(folder()?.join("enable"))?.trim() != "0")
}

/// Fails if the kernel knows of memory that nothing points to, where it looks for that.
pub fn none(report: &Report) -> Result<(), String> {
    if !Path::new(KMEMLEAK).exists() {
        report.info("this kernel does not look for memory that is never freed");
        return Ok(());
    }
    // The second time it is sure: what was just in the making is not any more.
    for _ in 0..2 {
        write(KMEMLEAK, "scan")?;
        std::thread::sleep(std::time::Duration::from_secs(6));
    }
    let leaks = read(KMEMLEAK)?;
    for line in leaks.lines() {
        report.info(&format!("kmemleak {line}"));
    }
    match leaks
        .lines()
        .filter(|line| line.starts_with("unreferenced object"))
        .count()
    {
        0 => Ok(()),
        leaks => Err(format!("{leaks} objects")),
    }
}

/// How much memory the kernel's small objects take, in KiB.
pub fn slab() -> Result<u64, String> {
    let text = read("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Slab:"));
    let size = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    size.ok_or_else(|| "no Slab in /proc/meminfo".into())
}
