//! `cargo xtask qemu uio` and `vfio`: the driver in user space, on Debian's stock kernel, against QEMU's own edu device.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::cpio::Archive;
use super::debian::{self, Kernel};
use super::transcript::{judge, kernel_says, Expected};
use super::{options, repeated, QEMU};
use crate::util::{self, step};

/// A guest: a program that is the init of a Linux, and the machine that it wants.
pub struct Guest {
    /// What comes after `cargo xtask qemu`; its program is `edu-<name>` of `platforms/linux-<name>`.
    name: &'static str,
    /// The program loads these from /modules.
    modules: &'static [&'static str],
    /// To QEMU, before the device.
    machine: &'static [&'static str],
    /// To the kernel.
    append: &'static str,
    /// What the program must report. The list is here and not read from the guest, so that a check
    /// that silently went missing there is noticed.
    expected: Expected<'static>,
    /// What must stand in one line of the kernel's, if anything: it was not the program that says so.
    kernel: &'static [&'static str],
}

pub const UIO: Guest = Guest {
    name: "uio",
    modules: &[
        "kernel/drivers/uio/uio",
        "kernel/drivers/uio/uio_pci_generic",
    ],
    machine: &[],
    append: "",
    expected: Expected {
        prefix: "UIO",
        checks: &[
            "mounts",
            "modules",
            "bind",
            "platform",
            "pci-device",
            "interrupts",
            "none-lost",
            "probe",
            "identify",
            "mapped-once",
            "factorial",
            "periodic",
            "no-dma",
            "forget",
            "remove-under-way",
            "nothing-late",
            "probe-again",
            "factorial-again",
            "remove",
            "kernel-clean",
        ],
    },
    kernel: &[],
};

pub const VFIO: Guest = Guest {
    name: "vfio",
    modules: &[
        "kernel/virt/lib/irqbypass",
        "kernel/drivers/vfio/vfio",
        "kernel/drivers/vfio/vfio_virqfd",
        "kernel/drivers/vfio/vfio_iommu_type1",
        "kernel/drivers/vfio/pci/vfio-pci-core",
        "kernel/drivers/vfio/pci/vfio-pci",
    ],
    machine: &["-device", "intel-iommu,intremap=on"],
    append: " intel_iommu=on",
    expected: Expected {
        prefix: "VFIO",
        checks: &[
            "mounts",
            "modules",
            "bind",
            "vfio",
            "platform",
            "pci-device",
            "interrupts",
            "none-lost",
            "probe",
            "identify",
            "mapped-once",
            "factorial",
            "periodic",
            "transfers",
            "forget",
            "remove-under-way",
            "nothing-late",
            "probe-again",
            "factorial-again",
            "remove",
            "quiet",
            "late-transfer",
            "remove-in-transfer",
            "quiet-again",
            "kernel-clean",
        ],
    },
    kernel: &["DMAR: [DMA Write", "fault addr 0x"],
};

const BUILD: Duration = Duration::from_secs(600);
/// A boot takes 5 to 8 s where QEMU has to emulate; five times as long was seen on a machine with much else to do.
const BOOT: Duration = Duration::from_secs(180);

const TARGET: &str = "x86_64-unknown-linux-gnu";

pub fn run(guest: &Guest, args: &[String]) -> Result<()> {
    let name = guest.name;
    let usage = format!("usage: cargo xtask qemu {name} [--repeat N]");
    let repeat = options(args, &[], &usage)?.repeat;
    let dir = util::target_dir()?.join("qemu");
    fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;

    step(super::version()?);
    let kernel = debian::stock_kernel(&dir)?;
    step("building the guest program");
    let init = build(&format!("linux-{name}"), &format!("edu-{name}"), &dir)?;
    let initramfs = dir.join(format!("{name}.cpio"));
    fs::write(&initramfs, archive(&init, guest.modules, &kernel)?)
        .with_context(|| format!("writing {}", initramfs.display()))?;

    let log = dir.join(format!("{name}.log"));
    let what = format!("Linux {}", kernel.release);
    repeated(repeat, &what, &guest.expected, &log, || {
        boot(guest, &kernel, &initramfs, &log)
    })
}

/// The guest program of a package in platforms, static because the initramfs has no libraries.
pub fn build(package: &str, program: &str, dir: &Path) -> Result<PathBuf> {
    let manifest = util::root().join(format!("platforms/{package}/Cargo.toml"));
    // A target folder of its own: other flags in a shared one would rebuild everything at every turn.
    // `--target` keeps the flags away from build scripts and procedural macros, which cannot be static.
    let target_dir = dir.join("build");
    let mut cargo = util::cargo();
    cargo
        .args(["build", "--release", "--bin", program, "--target", TARGET])
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target_dir)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // Debug information would be most of the initramfs.
        .env(
            "RUSTFLAGS",
            "-C target-feature=+crt-static -C strip=debuginfo",
        );
    util::run(&mut cargo, BUILD)?;
    Ok(target_dir.join(TARGET).join("release").join(program))
}

/// An initramfs with this program as init, and these modules, by their names, in /modules.
pub fn initramfs(
    init: &Path,
    modules: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    for dir in ["dev", "proc", "sys", "modules"] {
        archive.directory(dir)?;
    }
    // The kernel opens it as init's standard streams, before anything could mount /dev.
    archive.character_device("dev/console", 5, 1)?;
    let program = fs::read(init).with_context(|| format!("reading {}", init.display()))?;
    archive.executable("init", &program)?;
    for (name, module) in modules {
        archive.file(&format!("modules/{name}.ko"), &module)?;
    }
    archive.finish()
}

fn archive(init: &Path, modules: &[&str], kernel: &Kernel) -> Result<Vec<u8>> {
    let modules = modules.iter().map(|module| {
        let (_, name) = module.rsplit_once('/').expect("a path");
        Ok((name.to_owned(), kernel.module(module)?))
    });
    initramfs(init, modules.collect::<Result<Vec<_>>>()?)
}

fn boot(guest: &Guest, kernel: &Kernel, initramfs: &Path, log: &Path) -> Result<()> {
    // `no_timer_check`: the emulated timer is now and then late enough for the kernel to panic over it.
    // `loglevel=5` rather than `quiet`, which would keep `WARNING:` from the console and so from the judge.
    // With `panic=-1` and `-no-reboot` a panic ends QEMU at once.
    let append = format!(
        "console=ttyS0 loglevel=5 panic=-1 no_timer_check{}",
        guest.append
    );
    let mut qemu = Command::new(QEMU);
    qemu.args(["-machine", "q35,accel=tcg", "-cpu", "max"])
        .args(["-m", "512", "-smp", "1", "-nodefaults", "-no-reboot"])
        .args(["-display", "none", "-serial", "stdio"])
        .args(guest.machine)
        .args(["-device", "edu"])
        .arg("-kernel")
        .arg(&kernel.image)
        .arg("-initrd")
        .arg(initramfs)
        .args(["-append", &append]);
    let text = util::tee(&mut qemu, BOOT, log)?;
    judge(&text, &guest.expected)?;
    kernel_says(&text, guest.kernel)
}
