//! `cargo xtask qemu`: guests that run the drivers on QEMU's own devices.

mod bare;
mod cpio;
mod debian;
pub mod linux;
pub mod linux_kernel;
mod qmp;
mod transcript;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Context, Result};

use crate::util::{self, step};
use transcript::Expected;

const USAGE: &str = "\
usage: cargo xtask qemu <guest>

  uio [--repeat N]
        the edu driver in user space, on Debian's stock kernel
  vfio [--repeat N]
        the same behind an IOMMU: interrupts by messages, and transfers
  linux-kernel [--compile | --checked | --break [part of a name]] [--cycles N] [--update]
        the edu driver in Linux itself, as a module of Debian's stock kernel; with --checked, of one with every check, and with the torture; with
        --break, there with one guard left out at a time, which the checks must report
  bare-metal [--surprise] [--repeat N]
        the edu driver on the bare machine; with --surprise, the device is pulled out";

pub const QEMU: &str = "qemu-system-x86_64";

const MISSING: &str = "\
cannot run qemu-system-x86_64. On Debian bookworm, as root, with bookworm-backports among the apt sources:
  apt-get install --no-install-recommends -t bookworm-backports qemu-system-x86";

pub fn run(args: &[String]) -> Result<()> {
    let Some((guest, rest)) = args.split_first() else {
        bail!("no guest given\n\n{USAGE}");
    };
    match guest.as_str() {
        "uio" => linux::run(&linux::UIO, rest),
        "vfio" => linux::run(&linux::VFIO, rest),
        "linux-kernel" => linux_kernel::run(rest),
        "bare-metal" => bare::run(rest),
        other => bail!("no guest `{other}`\n\n{USAGE}"),
    }
}

/// What keeps this machine from building modules of Linux, if anything.
pub fn linux_kernel_missing() -> Option<String> {
    linux_kernel::missing()
}

/// QEMU's own words on its version; fails, saying what to install, if there is none.
pub fn version() -> Result<String> {
    let text = util::output(Command::new(QEMU).arg("--version"), Duration::from_secs(10))
        .context(MISSING)?;
    let text = String::from_utf8_lossy(&text);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// What a guest can be asked for.
#[derive(Debug, PartialEq)]
struct Options {
    /// How many boots.
    repeat: u32,
    /// The flags that were given, of those that the guest has.
    flags: Vec<&'static str>,
}

fn options(args: &[String], flags: &[&'static str], usage: &str) -> Result<Options> {
    let mut options = Options {
        repeat: 1,
        flags: Vec::new(),
    };
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        if arg == "--repeat" {
            let n = args.next().context(usage.to_owned())?;
            options.repeat = n.parse().with_context(|| format!("`{n}`\n{usage}"))?;
        } else if let Some(flag) = flags.iter().find(|flag| **flag == arg) {
            options.flags.push(flag);
        } else {
            bail!("`{arg}`\n{usage}");
        }
    }
    ensure!(options.repeat > 0, "--repeat 0 would check nothing");
    Ok(options)
}

/// Boots as often as was asked for, and tells of each boot; the first that fails is the last.
fn repeated(
    repeat: u32,
    what: &str,
    expected: &Expected,
    log: &Path,
    boot: impl Fn() -> Result<()>,
) -> Result<()> {
    for n in 1..=repeat {
        step(format!("boot {n} of {repeat}, {what}"));
        let started = Instant::now();
        boot().with_context(|| {
            format!(
                "boot {n} of {repeat} failed; its output is in {}",
                log.display()
            )
        })?;
        step(format!(
            "boot {n} of {repeat}: {} checks passed in {:.1} s",
            expected.checks.len(),
            started.elapsed().as_secs_f64()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_understood_or_refused() {
        let parse = |args: &[&str], flags: &[&'static str]| {
            let args: Vec<String> = args.iter().map(ToString::to_string).collect();
            options(&args, flags, "usage")
        };
        let plain = Options {
            repeat: 1,
            flags: Vec::new(),
        };
        assert_eq!(parse(&[], &[]).unwrap(), plain);
        assert_eq!(parse(&["--repeat", "3"], &[]).unwrap().repeat, 3);
        let both = parse(&["--x", "--repeat", "2"], &["--x"]).unwrap();
        assert_eq!((both.repeat, both.flags), (2, vec!["--x"]));
        for bad in [&["--repeat"][..], &["--repeat", "0"], &["3"], &["--x"]] {
            assert!(parse(bad, &[]).is_err(), "{bad:?}");
        }
    }
}
