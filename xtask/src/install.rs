//! Tools that a task needs beside the compiler: installed if they are not there.
//!
//! Programs from Debian are installed by apt-get where it can (as root on Debian); elsewhere the task ends with the command to give. Cargo's own
//! subcommands are installed wherever cargo is, in the version that is known to work.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, Result};

use crate::util::{self, step};

/// No installation takes as long as that.
const LIMIT: Duration = Duration::from_secs(1200);

/// Makes sure that `program`, which these packages bring, can be started; or exists, if it is a path.
pub fn debian(program: &str, packages: &[&str]) -> Result<()> {
    if present(program) {
        return Ok(());
    }
    if let Some(why) = apt_missing() {
        bail!(
            "{program} is not there, and {why}; on Debian: apt-get install {}",
            packages.join(" ")
        );
    }
    step(format!("{program} is not there: installing it"));
    // The lists may be absent, or old enough to name what is no longer served.
    util::run(Command::new("apt-get").args(["update", "-q"]), LIMIT)?;
    let mut install = Command::new("apt-get");
    install
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "-qy", "--no-install-recommends"])
        .args(packages);
    util::run(&mut install, LIMIT)?;
    if !present(program) {
        bail!("{} were installed, but not {program}", packages.join(" "));
    }
    Ok(())
}

/// Makes sure that there is `cargo <subcommand>`, which the package `cargo-<subcommand>` of this version brings. (A version that is there already is used,
/// whichever it is.)
pub fn cargo(subcommand: &str, version: &str) -> Result<()> {
    if runs("cargo", &[subcommand, "--version"]) {
        return Ok(());
    }
    step(format!("cargo {subcommand} is not there: installing it"));
    let mut install = util::cargo();
    install
        .args(["install", "--locked", "--version", version])
        .arg(format!("cargo-{subcommand}"));
    util::run(&mut install, LIMIT)
}

/// Why apt-get cannot install anything here.
fn apt_missing() -> Option<&'static str> {
    if !runs("apt-get", &["--version"]) {
        return Some("there is no apt-get");
    }
    let user = util::output(Command::new("id").arg("-u"), Duration::from_secs(10));
    match user {
        Ok(id) if id.trim_ascii() == b"0" => None,
        _ => Some("only root can install"),
    }
}

fn present(program: &str) -> bool {
    if program.contains('/') {
        return fs::exists(Path::new(program)).unwrap_or(false);
    }
    runs(program, &["--version"])
}

/// Whether a program can be started, and succeeds.
pub fn runs(program: &str, args: &[&str]) -> bool {
    util::output(Command::new(program).args(args), Duration::from_secs(60)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_installed() {
        debian("cargo", &["no-such-package"]).unwrap();
        debian("/", &["no-such-package"]).unwrap();
        cargo("fmt", "0.0.0").unwrap();
    }

    #[test]
    fn a_program_or_a_file_can_be_absent() {
        assert!(!present("no-such-program"));
        assert!(!present("/no/such/file"));
    }
}
