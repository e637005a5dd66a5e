//! A Debian with the compilers that the kernels want, in a folder.
//!
//! Commands run in it with a process table and mounts of their own: there is `/proc` (without which objtool and rustc fail oddly) and nothing else of
//! this machine, and whatever happens, with the last process the mount is gone too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use super::cache::Cache;
use super::packages::{self, Kernel};
use crate::util;

/// Has the compilers that Debian's kernel of `BACKPORTS` was built with.
const SUITE: &str = "trixie";
const BACKPORTS: &str = "trixie-backports";

const TOOLS: &[&str] = &[
    "bc",
    "bindgen",
    "bison",
    "cpio",
    "flex",
    "gcc",
    "gcc-14",
    "kmod",
    "libdw-dev",
    "libelf-dev",
    "libssl-dev",
    "make",
    "pahole",
    "perl",
    "python3",
    "rust-src",
    "rustc",
    "rustfmt",
    "xz-utils",
];
/// KASAN with Rust wants the same back end for C.
const CLANG: &[&str] = &["clang-19", "lld-19", "llvm-19"];

/// The longest step is a quarter of an hour on an idle machine.
const LIMIT: Duration = Duration::from_secs(7200);
const QUICK: Duration = Duration::from_secs(60);

/// The Debian, with its tools.
pub struct Chroot<'c> {
    cache: &'c Cache,
    root: PathBuf,
}

impl<'c> Chroot<'c> {
    /// What keeps this machine from it, if anything.
    pub fn missing() -> Option<String> {
        let is = |program: &str| {
            let mut which = Command::new("sh");
            which.args(["-c", "command -v \"$0\"", program]);
            util::output(&mut which, QUICK).is_ok()
        };
        let id = util::output(Command::new("id").arg("-u"), QUICK).unwrap_or_default();
        if id.trim_ascii() != b"0" {
            return Some("the kernel's build wants root, for chroot".into());
        }
        ["debootstrap", "unshare", "apt-get"]
            .into_iter()
            .find(|program| !is(program))
            .map(|program| format!("{program} is not installed (apt-get install {program})"))
    }

    /// Makes it, unless it is there.
    pub fn make(cache: &'c Cache) -> Result<Self> {
        let chroot = Self {
            cache,
            root: cache.root(),
        };
        cache.step("tools", &TOOLS.join(" "), "Debian with compilers", || {
            // The marks of what was in it go first.
            cache.forget_all()?;
            remove(&chroot.root)?;
            let mirror = mirror()?;
            let mut debootstrap = Command::new("unshare");
            // It mounts, too, and does not always clean up.
            debootstrap
                .args(["--mount", "debootstrap", "--variant=minbase", SUITE])
                .arg(&chroot.root)
                .arg(&mirror);
            util::logged(&mut debootstrap, LIMIT, &cache.log("debootstrap"))?;
            let sources = chroot.root.join("etc/apt/sources.list");
            let mut lines = fs::read_to_string(&sources)?;
            lines.push_str(&format!("\ndeb {mirror} {BACKPORTS} main\n"));
            fs::write(&sources, lines)?;
            chroot.update()?;
            chroot.install("apt-tools", TOOLS)
        })?;
        Ok(chroot)
    }

    /// Adds clang and its linker.
    pub fn add_clang(&self) -> Result<()> {
        self.cache.step("clang", &CLANG.join(" "), "clang", || {
            self.install("apt-clang", CLANG)
        })
    }

    /// Asks the mirror what there is now.
    pub fn update(&self) -> Result<()> {
        self.run("apt-update", "apt-get update")
    }

    fn install(&self, log: &str, packages: &[&str]) -> Result<()> {
        let packages = packages.join(" ");
        self.run(
            log,
            &format!(
                "dpkg --configure -a && apt-get install -qy --no-install-recommends {packages} && apt-get clean"
            ),
        )
    }

    /// A path in it, as seen from outside.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside.trim_start_matches('/'))
    }

    /// The newest kernel that its lists have.
    pub fn newest_kernel(&self) -> Result<Kernel> {
        let script = "apt-cache pkgnames linux- | grep -E '^linux-(source|headers|binary)-' | xargs apt-cache show --no-all-versions";
        let text = self.output(script)?;
        packages::newest(&text)
    }

    /// Downloads packages into an empty folder and unpacks them there.
    pub fn unpack(&self, log: &str, folder: &str, packages: &[String]) -> Result<()> {
        remove(&self.path(folder))?;
        let packages = packages.join(" ");
        let script = format!(
            "mkdir -p {folder} && cd {folder} && apt-get -q download {packages} && for file in *.deb; do dpkg-deb -x $file .; done && rm *.deb"
        );
        self.run(log, &script)
            .context("if apt said `404`, its lists are out of date: add `--update`")
    }

    /// Runs a shell script in it; what it prints goes to a log.
    pub fn run(&self, log: &str, script: &str) -> Result<()> {
        self.transcript(log, script).map(drop)
    }

    /// The same for what it prints, its errors among that.
    pub fn transcript(&self, log: &str, script: &str) -> Result<String> {
        util::logged(&mut self.shell(script), LIMIT, &self.cache.log(log))
    }

    /// The same for what it prints.
    pub fn output(&self, script: &str) -> Result<String> {
        let text = util::output(&mut self.shell(script), QUICK)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--pid", "--fork", "--kill-child"])
            .arg(format!("--root={}", self.root.display()))
            .args([
                "--mount-proc",
                "/bin/sh",
                "-ec",
                &format!("exec 2>&1\n{script}"),
            ])
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root")
            .env("LC_ALL", "C")
            .env("DEBIAN_FRONTEND", "noninteractive")
            // Make would else leave a file with its number of process, which are few here, and trip over it.
            .env("MAKEFLAGS", "--jobserver-style=pipe");
        // Cargo's, which a compiler or a make would take for its own.
        for name in [
            "RUSTFLAGS",
            "MFLAGS",
            "CARGO_MAKEFLAGS",
            "RUSTC",
            "RUSTUP_TOOLCHAIN",
            "CC",
            "CFLAGS",
        ] {
            command.env_remove(name);
        }
        command
    }
}

/// The first address of Debian's own that the machine's apt has.
fn mirror() -> Result<String> {
    let mut apt = Command::new("apt-get");
    apt.args(["indextargets", "--format", "$(REPO_URI)"]);
    apt.args(["Origin: Debian", "Label: Debian"]);
    let text = util::output(&mut apt, QUICK)?;
    let text = String::from_utf8_lossy(&text);
    let first = text.lines().next();
    first
        .map(|line| line.trim_end_matches('/').to_owned())
        .context("apt has no lists of Debian's: run `apt-get update` (as root)")
}

/// Removes a folder, unless something is mounted below it: that would be emptied, too.
pub fn remove(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    if let Some(mount) = mounted_below(&mounts, folder) {
        bail!("{mount} is mounted: unmount it first");
    }
    ensure!(folder.components().count() > 3, "{}", folder.display());
    fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))
}

fn mounted_below<'t>(mountinfo: &'t str, folder: &Path) -> Option<&'t str> {
    mountinfo
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .find(|mount| Path::new(mount).starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mounted_below_is_seen() {
        let mounts =
            "1 0 254:0 / / rw - ext4 /dev/x rw\n2 1 0:5 / /c/root/proc rw - proc proc rw\n";
        let below = |folder: &str| mounted_below(mounts, Path::new(folder));
        assert_eq!(below("/c/root"), Some("/c/root/proc"));
        assert_eq!(below("/c/root/build"), None);
        assert_eq!(below("/c/roo"), None);
    }
}
