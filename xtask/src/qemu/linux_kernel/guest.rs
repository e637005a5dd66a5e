//! The guest: the modules in an initramfs, with an init that tries them.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};

use super::kernel::{Flavour, Kernel};
use super::log;
use super::modules::Modules;
use crate::qemu::linux;
use crate::qemu::transcript::{self, Expected};
use crate::qemu::QEMU;
use crate::util::{self, step};

const PREFIX: &str = "LINUX";

/// What the init must report of each part. The list is here and not read from the guest, so that a check that silently went missing there is noticed.
const BEGIN: &[&str] = &["mounts", "modules", "log"];
const EDU: &[&str] = &[
    "load",
    "there",
    "open",
    "identify",
    "factorial",
    "transfers",
    "statistics",
    "busy",
    "refused",
    "held",
    "unbind-under-way",
    "gone",
    "nothing-left",
    "log-unbound",
    "bind-again",
    "open-again",
    "job-again",
    "unload",
    "nothing-left-unloaded",
    "log-own",
];
const LOAD: &[&str] = &[
    "load-load",
    "load-there",
    "load-runs",
    "load-unbind",
    "load-nothing-left",
    "load-cycles",
    "load-unload",
    "log-load",
];
const TORTURE: &[&str] = &["torture", "torture-nothing-left"];
const BOUND: &[&str] = &[
    "bound-load",
    "bound-job",
    "bound-unbind",
    "bound-nothing-left",
    "bound-unload",
];
const DEVRES: &[&str] = &[
    "devres-load",
    "devres-job",
    "devres-unbind",
    "devres-nothing-left",
    "devres-unload",
];
const LEAK: &[&str] = &["leak-load", "leak-unbind", "leak-mark", "leak-held"];
const END: &[&str] = &["no-leak", "log-whole", "kernel-clean"];

/// A module from outside of the kernel's tree.
const OUT_OF_TREE: u64 = 1 << 12;
/// A module that is not signed.
const UNSIGNED: u64 = 1 << 13;

/// What the stock kernel says beside what each says, and why that is all right.
const STOCK_SAYS: [&str; 1] = [
    // It would like signatures, and does not insist on them. The taint that it leaves is looked at, too.
    "edu: module verification failed: signature and/or required key missing - tainting kernel",
];

/// The same of the kernel with the checks.
const CHECKED_SAYS: [&str; 1] = [
    // A wait took longer than a second, which it may where a processor is emulated and checked. One that does not end is found by the time limit.
    "driver_scope: edu_load_module::Load: still waiting for ",
];

/// The stock kernel takes half a minute, most of it for the cycles of the driver under load.
const BOOT: Duration = Duration::from_secs(300);
/// More for a cycle, on an emulated processor with every check.
const CYCLE: Duration = Duration::from_secs(4);

/// How long a guest is left to end after what was to be reported has been.
const AFTER_A_REPORT: Duration = Duration::from_secs(60);

/// What is to be done beside what is always done.
pub struct Job {
    /// How often the torture unbinds and binds the driver, if at all.
    pub cycles: Option<u64>,
    /// If something is to be reported: what its report contains. Then the first thing that the kernel does not like ends it all, if it still can.
    pub reports: Option<&'static [&'static str]>,
}

/// What a boot came to.
pub struct Transcript {
    pub text: String,
    /// Everything that is wrong with it.
    pub wrong: Vec<String>,
}

impl Job {
    fn checks(&self, modules: &Modules) -> Vec<&'static str> {
        let parts = [
            (true, BEGIN),
            (modules.has("edu"), EDU),
            (modules.has("edu_load"), LOAD),
            (modules.has("edu_load") && self.cycles.is_some(), TORTURE),
            (modules.has("edu_bound"), BOUND),
            (modules.has("edu_devres"), DEVRES),
            (modules.has("edu_leak"), LEAK),
            (true, END),
        ];
        let parts = parts.into_iter().filter(|(wanted, _)| *wanted);
        parts
            .flat_map(|(_, checks)| checks.iter().copied())
            .collect()
    }
}

/// Boots once; fails, saying everything that is wrong, if not all is well.
pub fn run(kernel: &Kernel, modules: &Modules, job: &Job) -> Result<()> {
    let Transcript { wrong, .. } = boot(kernel, modules, job)?;
    ensure!(
        wrong.is_empty(),
        "the transcript is not that of a good run:\n    {}",
        wrong.join("\n    ")
    );
    step(format!(
        "Linux {}: {} checks passed",
        kernel.release,
        job.checks(modules).len()
    ));
    Ok(())
}

/// Boots once.
pub fn boot(kernel: &Kernel, modules: &Modules, job: &Job) -> Result<Transcript> {
    let dir = util::target_dir()?.join("qemu");
    fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    step("building the guest program");
    let init = linux::build("linux-kernel/guest", "edu-kernel", &dir)?;
    let initramfs = dir.join("linux-kernel.cpio");
    fs::write(&initramfs, archive(&init, modules)?)
        .with_context(|| format!("writing {}", initramfs.display()))?;

    let log = dir.join(format!("linux-kernel-{}.log", kernel.flavour.name()));
    step(format!("booting Linux {}", kernel.release));
    // What is broken may hang without another word.
    let (boot, cycle) = match job.reports {
        None => (BOOT, CYCLE),
        Some(_) => (BOOT / 2, CYCLE / 2),
    };
    let limit = boot + cycle * u32::try_from(job.cycles.unwrap_or(0))?;
    let mut reported: Option<Instant> = None;
    let watched = util::watch(&mut machine(kernel, &initramfs, job), limit, &log, |line| {
        let is_report = |reports: &[&str]| reports.iter().any(|report| line.contains(report));
        if job.reports.is_some_and(is_report) {
            reported.get_or_insert_with(Instant::now);
        }
        match reported {
            Some(at) if at.elapsed() > AFTER_A_REPORT => Err(io::Error::other("has been reported")),
            _ => Ok(()),
        }
    });
    let (text, status) = match watched {
        Ok(ended) => ended,
        // What is broken may hang.
        Err(error) if reported.is_some() => {
            let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
            let wrong = vec![format!("{error:#}")];
            return Ok(Transcript { text, wrong });
        }
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let expected = Expected {
        prefix: PREFIX,
        checks: &job.checks(modules),
    };
    let mut wrong = transcript::complaints(&text, &expected);
    let says: &[&str] = match kernel.flavour {
        Flavour::Stock => &STOCK_SAYS,
        Flavour::Checked => &CHECKED_SAYS,
    };
    wrong.extend(log::complaints(&text, says));
    if modules.has("edu_leak") && !log::tells_of_the_leak(&text) {
        wrong.push("the kernel's log does not tell of the binding that was leaked".into());
    }
    if !status.success() {
        wrong.push(format!("QEMU: {status}"));
    }
    Ok(Transcript { text, wrong })
}

fn archive(init: &Path, modules: &Modules) -> Result<Vec<u8>> {
    let modules = modules.files.iter().map(|(name, file)| {
        let module = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        Ok((name.to_string(), module))
    });
    linux::initramfs(init, modules.collect::<Result<Vec<_>>>()?)
}

fn machine(kernel: &Kernel, initramfs: &Path, job: &Job) -> Command {
    let taint = match kernel.flavour {
        Flavour::Stock => OUT_OF_TREE | UNSIGNED,
        Flavour::Checked => OUT_OF_TREE,
    };
    // As for the other guests of Linux. What the kernel does not know of becomes the environment of its init.
    let mut append =
        format!("console=ttyS0 loglevel=5 panic=-1 no_timer_check log_buf_len=4M TAINT={taint}");
    if kernel.flavour == Flavour::Checked {
        // While it finds out what its first processor is, it takes it for one without the fifth level, and KASAN, if an interrupt comes just then, its own memory for none.
        append.push_str(" no5lvl");
    }
    if let Some(cycles) = job.cycles {
        append.push_str(&format!(" CYCLES={cycles}"));
    }
    if job.reports.is_some() {
        append.push_str(" panic_on_warn=1");
    }
    let mut qemu = Command::new(QEMU);
    qemu.args(["-machine", "q35,accel=tcg", "-cpu", "max"])
        .args(["-m", "512", "-smp", "2", "-nodefaults", "-no-reboot"])
        .args(["-display", "none", "-serial", "stdio"])
        .args(["-device", "edu"])
        .arg("-kernel")
        .arg(&kernel.image)
        .arg("-initrd")
        .arg(initramfs)
        .args(["-append", &append]);
    qemu
}
