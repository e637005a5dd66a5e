//! A PCI device by way of sysfs: found, bound to a driver, and its registers mapped.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};

use rustix::mm::{mmap, munmap, MapFlags, ProtFlags};

const DEVICES: &str = "/sys/bus/pci/devices";
const DRIVERS: &str = "/sys/bus/pci/drivers";

/// The command register in configuration space, and its bit for memory decoding.
const COMMAND: u64 = 0x04;
const COMMAND_MEMORY: u16 = 1 << 1;

/// A PCI device, by its folder in sysfs.
#[derive(Clone)]
pub struct Device {
    path: PathBuf,
    vendor: u16,
    device: u16,
}

impl Device {
    /// The one device with these ids.
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
    pub fn address(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Makes `driver` take the device, by telling it that it knows these ids.
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
        let path = self.path.join("config");
        let fail = |error| format!("{}: {error}", path.display());
        let mut command = [0; 2];
        File::open(&path)
            .and_then(|file| file.read_exact_at(&mut command, COMMAND))
            .map_err(fail)?;
        Ok(u16::from_le_bytes(command) & COMMAND_MEMORY != 0)
    }

    /// Maps a memory BAR.
    pub fn map(&self, bar: u8) -> std::io::Result<Mapping> {
        Mapping::new(&self.path.join(format!("resource{bar}")))
    }

    /// Vendor and device id.
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

/// A device's registers in this process's memory, readable and writable until dropped.
///
/// The owner hands out only the address. Whoever accesses it must end before this is dropped, and must
/// use volatile accesses: it is device memory, which no reference may cover.
pub struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread: its address means the same in all of them,
// and munmap may be called from any.
unsafe impl Send for Mapping {}
// SAFETY: through `&Mapping` one gets only the address and the length, which never change.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        // sysfs gives the file the size of the BAR.
        let len = usize::try_from(file.metadata()?.len()).map_err(std::io::Error::other)?;
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: without MAP_FIXED the kernel chooses unused addresses, so no existing memory is
        // affected; the result is checked before it is used.
        let base = unsafe { mmap(ptr::null_mut(), len, protection, MapFlags::SHARED, file, 0) }?;
        let base = NonNull::new(base.cast()).ok_or_else(|| std::io::Error::other("mapped at 0"))?;
        Ok(Self { base, len })
    }

    /// The address of the first register; aligned to a page.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `base` and `len` are what mmap returned and was given, in `new`, and nobody else unmaps
        // them. Nothing accesses them any more: that is what every user of `base` has promised.
        let result = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
        debug_assert_eq!(result, Ok(()));
    }
}
