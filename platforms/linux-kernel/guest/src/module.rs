//! A module and the driver in it: loaded, bound to the device, unbound, unloaded.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use linux_guest::Device;
use rustix::io::Errno;
use rustix::system::{delete_module, finit_module};

/// QEMU's edu.
const VENDOR: u16 = 0x1234;
const DEVICE: u16 = 0x11e8;

/// A module of the driver.
#[derive(Clone, Copy)]
pub struct Module {
    /// Of the file, of the module, and of the driver in sysfs.
    pub name: &'static str,
    /// The driver's own.
    pub file: &'static str,
    /// Whether its driver disables the device in the end. (The kernel's own abstractions in Rust do not.)
    pub disables: bool,
}

/// The driver.
pub const EDU: Module = Module {
    name: "edu",
    file: "/dev/edu",
    disables: true,
};

/// The same under load.
pub const LOAD: Module = Module {
    name: "edu_load",
    file: "/dev/edu_load",
    disables: true,
};

/// A driver that leaks a binding. It has no file.
pub const LEAK: Module = Module {
    name: "edu_leak",
    file: "",
    disables: true,
};

/// The same driver by Linux's own abstractions, in two ways.
pub const BOUND: Module = Module {
    name: "edu_bound",
    file: "/dev/edu_bound",
    disables: false,
};

/// See `BOUND`.
pub const DEVRES: Module = Module {
    name: "edu_devres",
    file: "/dev/edu_devres",
    disables: false,
};

impl Module {
    /// Whether the guest was given it.
    pub fn is_there(self) -> bool {
        Path::new(&self.path()).exists()
    }

    fn path(self) -> String {
        format!("/modules/{}.ko", self.name)
    }

    /// Loads it, whereupon its driver takes the device.
    pub fn load(self) -> Result<(), String> {
        let path = self.path();
        let file = File::open(&path).map_err(|error| format!("{path}: {error}"))?;
        finit_module(&file, c"", 0).map_err(|error| format!("{path}: {error}"))?;
        self.must_have_device()
    }

    /// Unloads it.
    pub fn unload(self) -> Result<(), Errno> {
        let name = std::ffi::CString::new(self.name).expect("a name without zeros");
        // Without the flag it would wait for those who use it, on kernels that still do.
        delete_module(&name, rustix::fs::OFlags::NONBLOCK.bits() as i32)
    }

    pub fn bind(self) -> Result<(), String> {
        self.tell("bind")?;
        self.must_have_device()
    }

    pub fn unbind(self) -> Result<(), String> {
        self.tell("unbind")?;
        match bound_to()? {
            None => Ok(()),
            Some(driver) => Err(format!("still bound to {driver}")),
        }
    }

    fn tell(self, what: &str) -> Result<(), String> {
        let path = format!("/sys/bus/pci/drivers/{}/{what}", self.name);
        write(&path, &device()?.address())
    }

    fn must_have_device(self) -> Result<(), String> {
        match bound_to()? {
            Some(driver) if driver == self.name => Ok(()),
            other => Err(format!("the device is bound to {other:?}")),
        }
    }
}

/// The device.
pub fn device() -> Result<Device, String> {
    Device::find(VENDOR, DEVICE)
}

/// The device's folder in sysfs.
pub fn folder() -> Result<PathBuf, String> {
    Ok(Path::new("/sys/bus/pci/devices").join(device()?.address()))
}

/// The driver that has the device.
fn bound_to() -> Result<Option<String>, String> {
    let link = folder()?.join("driver");
    Ok(fs::read_link(link)
        .ok()
        .and_then(|driver| Some(driver.file_name()?.to_string_lossy().into_owned())))
}

pub fn write(path: &str, text: &str) -> Result<(), String> {
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("{path}: {error}"))
}

pub fn read(path: impl AsRef<Path>) -> Result<String, String> {
    let path = path.as_ref();
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
