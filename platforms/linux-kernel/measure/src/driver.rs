//! A driver's module, its binding to the device, and its file.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::system::{delete_module, finit_module};

use crate::{at, write, Result};

const DRIVERS: &str = "/sys/bus/pci/drivers";
const DEVICES: &str = "/sys/bus/pci/devices";

/// For whatever the device may take, on a busy machine.
const LONG: Duration = Duration::from_secs(20);

pub struct Driver {
    name: String,
    file: String,
}

impl Driver {
    pub fn new(name: &str, file: &str) -> Self {
        Self {
            name: name.to_owned(),
            file: format!("/dev/{file}"),
        }
    }

    /// Loads the module, which binds the device.
    pub fn load(&self) -> Result<()> {
        let path = format!("/modules/{}.ko", self.name);
        let file = at(&path, File::open(&path))?;
        at(&path, finit_module(&file, c"", 0))
    }

    pub fn unload(&self) -> Result<()> {
        let name = std::ffi::CString::new(self.name.clone()).expect("a name has no zero");
        at("unload", delete_module(&name, OFlags::NONBLOCK.bits() as _))
    }

    pub fn bind(&self) -> Result<()> {
        write(&format!("{DRIVERS}/{}/bind", self.name), &device()?)
    }

    pub fn unbind(&self) -> Result<()> {
        write(&format!("{DRIVERS}/{}/unbind", self.name), &device()?)
    }

    /// Opens its file, as soon as there is one.
    pub fn open(&self) -> Result<Open> {
        let file = patiently(|| File::options().read(true).write(true).open(&self.file).ok());
        let file = file.ok_or_else(|| format!("{} does not appear", self.file))?;
        Ok(Open { file })
    }

    /// The names of the threads that the kernel has for its interrupts.
    pub fn threads(&self) -> Result<Vec<String>> {
        let mut threads = Vec::new();
        for entry in at("/proc", fs::read_dir("/proc"))? {
            let path = at("/proc", entry)?.path().join("comm");
            let name = fs::read_to_string(path).unwrap_or_default();
            // `irq/24-edu_boun`: longer names are cut.
            let of = name.trim().split_once('-').map_or("", |(_, of)| of);
            if name.starts_with("irq/") && !of.is_empty() && self.name.starts_with(of) {
                threads.push(name.trim().to_owned());
            }
        }
        Ok(threads)
    }

    /// The lines of /proc/interrupts that name it.
    pub fn interrupts(&self) -> Result<Vec<String>> {
        let text = crate::read("/proc/interrupts")?;
        let named = |line: &&str| line.split_whitespace().any(|word| word == self.name);
        Ok(text.lines().filter(named).map(ToOwned::to_owned).collect())
    }
}

/// Its file, open.
pub struct Open {
    file: File,
}

impl Open {
    pub fn command(&mut self, line: &str) -> io::Result<()> {
        let len = self.file.write(line.as_bytes())?;
        if len == line.len() {
            Ok(())
        } else {
            Err(io::Error::other(format!("{len} bytes written")))
        }
    }

    pub fn state(&mut self) -> io::Result<String> {
        // All at once and from its begin: what is read in parts may be of two moments.
        let mut text = [0; 4096];
        let len = self.file.read_at(&mut text, 0)?;
        Ok(String::from_utf8_lossy(&text[..len]).into_owned())
    }

    /// Waits until there is such a line in the state; what follows its begin.
    pub fn wait_for(&mut self, begin: &str) -> Result<String> {
        let found = patiently(|| self.line(begin).ok());
        let mut last = || self.state().unwrap_or_else(|error| error.to_string());
        found.ok_or_else(|| format!("no line `{begin}` in time, but {:?}", last()))
    }

    pub fn line(&mut self, begin: &str) -> Result<String> {
        let state = at("state", self.state())?;
        let rest = state.lines().find_map(|line| line.strip_prefix(begin));
        let rest = rest.ok_or_else(|| format!("no line `{begin}` in {state:?}"))?;
        Ok(rest.trim().to_owned())
    }

    /// A number of the line of statistics.
    pub fn counter(&mut self, name: &str) -> Result<u32> {
        let line = self.line("stats ")?;
        let value = line
            .split(' ')
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
            .ok_or_else(|| format!("no {name} in {line:?}"))?;
        at(name, value.parse())
    }
}

/// The folder's name of QEMU's edu.
fn device() -> Result<String> {
    for entry in at(DEVICES, fs::read_dir(DEVICES))? {
        let path = at(DEVICES, entry)?.path();
        let is = |file: &str, id: &str| id_is(&path, file, id);
        if is("vendor", "0x1234") && is("device", "0x11e8") {
            let name = path.file_name().unwrap_or_default();
            return Ok(name.to_string_lossy().into_owned());
        }
    }
    Err("there is no edu device".into())
}

fn id_is(device: &Path, file: &str, id: &str) -> bool {
    fs::read_to_string(device.join(file)).is_ok_and(|text| text.trim() == id)
}

/// Asks again and again until it is there, or long enough.
fn patiently<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + LONG;
    loop {
        if let Some(there) = ask() {
            return Some(there);
        }
        if Instant::now() > end {
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
}
