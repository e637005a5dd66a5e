//! `cargo xtask qemu bare-metal`: the driver on a bare machine with two processors, against QEMU's own edu device.

use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::time::Duration;
use std::{env, fs, io};

use anyhow::{ensure, Context, Result};

use super::qmp::Monitor;
use super::transcript::{judge, Expected};
use super::{options, repeated, QEMU};
use crate::util;

/// What the image must report. The list is here and not read from the image, so that a check that silently went missing there is
/// noticed.
const EXPECTED: Expected = Expected {
    prefix: "BARE",
    checks: &[
        "processors",
        "clock",
        "locks",
        "sleep",
        "device",
        "probe",
        "identify",
        "mapped-once",
        "factorial",
        "dma",
        "periodic",
        "forget",
        "both-processors",
        "remove-under-way",
        "nothing-late",
        "probe-again",
        "no-dma-late",
        "factorial-again",
        "deferred",
        "device-again",
        "probe-own",
        "interrupt-disabled",
        "work",
        "remove-own",
        "storms",
        "no-interrupt-late",
        "cycles",
        "load",
        "no-callback-late",
        "all-dropped",
        "memory",
    ],
};

/// The same when the device is pulled out.
const EXPECTED_SURPRISE: Expected = Expected {
    prefix: "BARE",
    checks: &[
        "processors",
        "clock",
        "locks",
        "sleep",
        "device",
        "probe",
        "identify",
        "forget",
        "both-processors",
        "pulled-out",
        "seen-gone",
        "remove",
        "nothing-late",
        "no-dma-late",
        "put-in",
        "probe-again",
        "identify-again",
        "factorial-again",
        "dma",
        "remove-again",
        "probe-own",
        "storm",
        "pulled-out-again",
        "seen-gone-again",
        "remove-own",
        "no-interrupt-late",
        "put-in-again",
        "memory",
    ],
};

const SURPRISE: &str = "--surprise";
const USAGE: &str = "usage: cargo xtask qemu bare-metal [--surprise] [--repeat N]";

/// What the image asks for when the device may be pulled out, and when another is to be put in.
const PULL_OUT: &str = "BARE-INFO please pull the device out";
const PUT_IN: &str = "BARE-INFO please put another in";

const BUILD: Duration = Duration::from_secs(600);
/// A run takes 1 to 2 s.
const RUN: Duration = Duration::from_secs(60);

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// How QEMU exits when the image says that all was well. (Twice the code of `isa-debug-exit`, and one. A good exit of QEMU itself, as after a
/// reset, is none.)
const GOOD: i32 = 33;

pub fn run(args: &[String]) -> Result<()> {
    let options = options(args, &[SURPRISE], USAGE)?;
    let dir = util::target_dir()?.join("qemu");
    fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;

    util::step(super::version()?);
    util::step("building the image");
    let image = build(&dir)?;
    let log = dir.join("bare-metal.log");
    if options.flags.contains(&SURPRISE) {
        let what = "bare metal, the device is pulled out";
        repeated(options.repeat, what, &EXPECTED_SURPRISE, &log, || {
            surprise(&image, &log)
        })
    } else {
        repeated(options.repeat, "bare metal", &EXPECTED, &log, || {
            let mut qemu = machine(&image);
            qemu.args(["-device", "edu"]);
            boot(qemu, &log, &EXPECTED, |_| Ok(()))
        })
    }
}

fn build(dir: &Path) -> Result<PathBuf> {
    // Built in its folder, where its configuration is.
    let target_dir = dir.join("bare-metal");
    let mut cargo = util::cargo();
    cargo
        .current_dir(util::root().join("platforms/bare-metal"))
        .args(["build", "--release"])
        .arg("--target-dir")
        .arg(&target_dir)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS");
    util::run(&mut cargo, BUILD)?;
    Ok(target_dir.join(TARGET).join("release/bare-metal"))
}

/// The machine without the device.
fn machine(image: &Path) -> Command {
    let mut qemu = Command::new(QEMU);
    qemu.args(["-machine", "q35,accel=tcg", "-cpu", "qemu64", "-smp", "2"])
        .args(["-m", "128", "-nodefaults", "-no-user-config", "-no-reboot"])
        .args(["-display", "none", "-serial", "stdio", "-monitor", "none"])
        .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"])
        .arg("-kernel")
        .arg(image);
    qemu
}

/// The device is in a slot. It is pulled out when the image says that all is busy with it, and another is put in when it says that it has
/// recovered.
fn surprise(image: &Path, log: &Path) -> Result<()> {
    // The path of a socket may not be long.
    let socket = env::temp_dir().join(format!("xtask-qmp-{}", process::id()));
    let mut qemu = machine(image);
    let to_monitor = format!("unix:{},server=on,wait=off", socket.display());
    qemu.args(["-qmp", &to_monitor])
        // The slot's own hot plug, not that of ACPI.
        .args([
            "-global",
            "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
        ])
        .args(["-device", "pcie-root-port,id=slot1,chassis=1,slot=1"])
        .args(["-device", "edu,id=edu1,bus=slot1"]);
    let mut monitor = None;
    let mut number = 1;
    let result = boot(qemu, log, &EXPECTED_SURPRISE, |line| {
        let (command, arguments) = match line {
            PULL_OUT => ("device_del", format!(r#"{{"id":"edu{number}"}}"#)),
            PUT_IN => {
                number += 1;
                let new = format!(r#"{{"driver":"edu","id":"edu{number}","bus":"slot1"}}"#);
                ("device_add", new)
            }
            _ => return Ok(()),
        };
        if monitor.is_none() {
            monitor = Some(Monitor::connect(&socket)?);
        }
        match &mut monitor {
            Some(monitor) => monitor.execute(command, &arguments),
            None => unreachable!("just connected"),
        }
    });
    // QEMU takes its socket away, but not if it was ended.
    let _ = fs::remove_file(&socket);
    result
}

fn boot(
    mut qemu: Command,
    log: &Path,
    expected: &Expected,
    seen: impl FnMut(&str) -> io::Result<()>,
) -> Result<()> {
    let (text, status) = util::watch(&mut qemu, RUN, log, seen)?;
    judge(&text, expected)?;
    ensure!(
        status.code() == Some(GOOD),
        "the image reports a good run, but {QEMU} ended with {status}"
    );
    Ok(())
}
