//! `cargo xtask qemu`: guests that run the drivers on QEMU's own devices.

mod cpio;
mod debian;
mod transcript;
mod uio;

use std::process::Command;
use std::time::Duration;

use anyhow::{bail, Context, Result};

use crate::util;

const USAGE: &str = "\
usage: cargo xtask qemu <guest>

  uio [--repeat N]   the edu driver in user space, on Debian's stock kernel";

pub const QEMU: &str = "qemu-system-x86_64";

const MISSING: &str = "\
cannot run qemu-system-x86_64. On Debian bookworm, as root, with bookworm-backports among the apt sources:
  apt-get install --no-install-recommends -t bookworm-backports qemu-system-x86";

pub fn run(args: &[String]) -> Result<()> {
    let Some((guest, rest)) = args.split_first() else {
        bail!("no guest given\n\n{USAGE}");
    };
    match guest.as_str() {
        "uio" => uio::run(rest),
        other => bail!("no guest `{other}`\n\n{USAGE}"),
    }
}

/// QEMU's own words on its version; fails, saying what to install, if there is none.
fn version() -> Result<String> {
    let text = util::output(Command::new(QEMU).arg("--version"), Duration::from_secs(10))
        .context(MISSING)?;
    let text = String::from_utf8_lossy(&text);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
