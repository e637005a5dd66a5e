//! The kernels, and what is built against them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use super::drivers::{self, Driver};
use crate::qemu::linux;
use crate::qemu::linux_kernel::cache::Cache;
use crate::qemu::linux_kernel::chroot::Chroot;
use crate::qemu::linux_kernel::kernel::{Kernel, Source};
use crate::qemu::QEMU;
use crate::util::{self, step};

/// The Debian with the kernels' build trees, see `cargo xtask qemu linux-kernel`.
pub struct Tree<'c> {
    chroot: &'c Chroot<'c>,
    guest: PathBuf,
    pub stock: Kernel,
    checked: Option<Kernel>,
}

/// The machine that a guest gets.
pub struct Machine {
    pub cpus: &'static str,
    pub more: &'static [&'static str],
}

/// What came of a build.
pub struct Built {
    pub is_made: bool,
    /// What make and the compilers said.
    pub said: String,
}

const BOOT: Duration = Duration::from_secs(150);

/// Opens them, or makes what is not there yet, for as long as something is done. The checked kernel takes long to make: only if it is wanted.
pub fn with<R>(checked: bool, todo: impl FnOnce(&Tree<'_>) -> Result<R>) -> Result<R> {
    if let Some(why) = Chroot::missing() {
        bail!(why);
    }
    let cache = Cache::open()?;
    let chroot = Chroot::make(&cache)?;
    let source = Source::make(&cache, &chroot)?;
    let tree = Tree {
        chroot: &chroot,
        guest: drivers::guest()?,
        stock: source.stock()?,
        checked: checked.then(|| source.checked()).transpose()?,
    };
    todo(&tree)
}

impl Tree<'_> {
    /// The kernel with every check, if it was wanted.
    pub fn checked(&self) -> Result<&Kernel> {
        self.checked
            .as_ref()
            .context("the checked kernel was not wanted")
    }

    /// Where modules for a kernel are built.
    pub fn builds(&self, kernel: &Kernel) -> PathBuf {
        self.chroot.path(&inside(kernel))
    }

    /// Builds the modules of a folder.
    pub fn make(&self, kernel: &Kernel, folder: &Path) -> Result<Built> {
        self.make_target(kernel, folder, "modules")
    }

    /// Builds a unit of a folder, or what else is to be made there.
    pub fn make_target(&self, kernel: &Kernel, folder: &Path, target: &str) -> Result<Built> {
        const FAILED: &str = "(it failed)";
        let below = folder.strip_prefix(self.builds(kernel))?;
        let folder = Path::new(&inside(kernel)).join(below);
        let make = kernel.make_target(&folder.display().to_string(), target);
        let log = format!("report-{}", kernel.flavour.name());
        let said = self
            .chroot
            .transcript(&log, &format!("{make} || echo '{FAILED}'"))?;
        Ok(Built {
            is_made: !said.trim_end().ends_with(FAILED),
            said,
        })
    }

    /// Builds a driver as it is; its folder.
    pub fn build(&self, kernel: &Kernel, driver: &Driver) -> Result<PathBuf> {
        let folder = driver.stage(&self.builds(kernel))?;
        let Built { is_made, said } = self.make(kernel, &folder)?;
        ensure!(is_made, "{} does not build:\n{said}", driver.name);
        // For a rival it would be unfair to have some.
        let is_clean = driver.is_ours() || !said.contains("warning:");
        ensure!(is_clean, "{} builds with warnings:\n{said}", driver.name);
        Ok(folder)
    }

    /// Boots a kernel with the module of a driver from a folder, and has the guest do a job. What it printed.
    pub fn boot(
        &self,
        kernel: &Kernel,
        machine: &Machine,
        driver: &Driver,
        folder: &Path,
        job: &str,
    ) -> Result<String> {
        let name = driver.name;
        let module = fs::read(folder.join(format!("{name}.ko")))?;
        let archive = linux::initramfs(&self.guest, [(name.to_owned(), module)])?;
        let initramfs = folder.join("guest.cpio");
        fs::write(&initramfs, archive)?;
        let append = format!(
            "console=ttyS0 loglevel=5 panic=-1 no_timer_check driver={name} file={name} job={job}"
        );
        let log = folder.join(format!("{job}.log"));
        let mut qemu = Command::new(QEMU);
        // 256 MiB: a kernel without a zone for DMA has no memory for 28 bits of address otherwise.
        qemu.args([
            "-machine",
            "q35,accel=tcg",
            "-cpu",
            "max",
            "-m",
            "256",
            "-smp",
            machine.cpus,
        ])
        .args(["-nodefaults", "-no-reboot", "-display", "none", "-serial"])
        .arg(format!("file:{}", log.display()))
        .args(machine.more)
        .args(["-device", "edu", "-kernel"])
        .arg(&kernel.image)
        .arg("-initrd")
        .arg(&initramfs)
        .args(["-append", &append]);
        // A machine that hangs has said why before.
        if let Err(error) = util::output(&mut qemu, BOOT) {
            step(format!("{error:#}"));
        }
        // Bytes that are no text may come from the firmware.
        let said = fs::read(&log).with_context(|| format!("reading {}", log.display()))?;
        let said = String::from_utf8_lossy(&said).into_owned();
        Ok(said)
    }

    /// The functions of the stock kernel that stand for what is inline in C.
    pub fn helpers(&self) -> PathBuf {
        self.chroot.path("/build/stock/rust/helpers/helpers.o")
    }
}

/// Where modules for a kernel are built, in the chroot.
fn inside(kernel: &Kernel) -> String {
    format!("/build/report-{}", kernel.flavour.name())
}
