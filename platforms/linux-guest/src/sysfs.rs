//! A PCI device by way of sysfs: found, bound to a driver, its configuration.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::config::{Config, COMMAND, COMMAND_MEMORY};
use crate::Bar;

const DEVICES: &str = "/sys/bus/pci/devices";
const DRIVERS: &str = "/sys/bus/pci/drivers";

/// A PCI device, by its folder in sysfs.
#[derive(Clone)]
pub struct Device {
    path: PathBuf,
    vendor: u16,
    device: u16,
}

impl Device {
    /// The one device with these ids.
    ///
    /// # Errors
    /// In words, if there is none or there are several.
    pub fn find(vendor: u16, device: u16) -> Result<Self, String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(DEVICES).map_err(|error| format!("{DEVICES}: {error}"))? {
            let path = entry.map_err(|error| format!("{DEVICES}: {error}"))?.path();
            if id(&path, "vendor")? == vendor && id(&path, "device")? == device {
                found.push(path);
            }
        }
        match <[PathBuf; 1]>::try_from(found) {
            Ok([path]) => Ok(Self {
                path,
                vendor,
                device,
            }),
            Err(found) => Err(format!(
                "{} devices {vendor:04x}:{device:04x}, expected one",
                found.len()
            )),
        }
    }

    /// The address on the bus, as in `0000:00:01.0`.
    #[must_use]
    pub fn address(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Makes `driver` take the device, by telling it that it knows these ids.
    ///
    /// # Errors
    /// In words.
    pub fn bind(&self, driver: &str) -> Result<(), String> {
        let new_id = format!("{DRIVERS}/{driver}/new_id");
        let ids = format!("{:04x} {:04x}", self.vendor, self.device);
        write(Path::new(&new_id), &ids)?;
        // The write probes the device before it returns, but succeeds even if the probe fails.
        let link = self.path.join("driver");
        let bound = fs::read_link(&link).map_err(|error| format!("not bound: {error}"))?;
        match bound.file_name() {
            Some(name) if name == driver => Ok(()),
            _ => Err(format!("bound to {}", bound.display())),
        }
    }

    /// Makes the device answer at its memory BARs, which a driver does not owe to user space.
    ///
    /// # Errors
    /// In words.
    pub fn enable_memory(&self) -> Result<(), String> {
        if self.memory_enabled()? {
            return Ok(());
        }
        write(&self.path.join("enable"), "1")?;
        if self.memory_enabled()? {
            Ok(())
        } else {
            Err("memory decoding stays off".into())
        }
    }

    fn memory_enabled(&self) -> Result<bool, String> {
        let command = self.config()?.read(COMMAND);
        let command = command.map_err(|error| format!("configuration space: {error}"))?;
        Ok(command & COMMAND_MEMORY != 0)
    }

    /// A memory BAR. To be called once for each.
    ///
    /// # Errors
    /// In words.
    pub fn bar(&self, number: u8) -> Result<Bar, String> {
        let path = self.path.join(format!("resource{number}"));
        let fail = |error| format!("{}: {error}", path.display());
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(fail)?;
        // sysfs gives the file the size of the BAR.
        let len = file.metadata().map_err(fail)?.len();
        let len = usize::try_from(len).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Bar::new(file, 0, len))
    }

    /// Its configuration space, to be read and written.
    ///
    /// # Errors
    /// In words.
    pub fn config(&self) -> Result<Config, String> {
        let path = self.path.join("config");
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Config::new(file, 0))
    }

    /// The file that UIO has made of it: `/dev/uio<number>`.
    ///
    /// # Errors
    /// In words.
    pub fn uio(&self) -> Result<PathBuf, String> {
        let path = self.path.join("uio");
        let fail = |error| format!("{}: {error}", path.display());
        let mut entries = fs::read_dir(&path).map_err(fail)?;
        let entry = entries.next().ok_or("no UIO device")?.map_err(fail)?;
        Ok(Path::new("/dev").join(entry.file_name()))
    }

    /// The number of the group of devices that an IOMMU cannot tell apart, which it is in.
    ///
    /// # Errors
    /// In words, if there is no IOMMU.
    pub fn iommu_group(&self) -> Result<String, String> {
        let link = self.path.join("iommu_group");
        let group = fs::read_link(&link).map_err(|error| format!("{}: {error}", link.display()))?;
        let number = group.file_name().ok_or("a group without a number")?;
        Ok(number.to_string_lossy().into_owned())
    }

    /// Vendor and device id.
    #[must_use]
    pub fn id(&self) -> (u16, u16) {
        (self.vendor, self.device)
    }
}

fn id(device: &Path, name: &str) -> Result<u16, String> {
    let path = device.join(name);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let digits = text.trim().trim_start_matches("0x");
    u16::from_str_radix(digits, 16).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("{}: {error}", path.display()))
}
