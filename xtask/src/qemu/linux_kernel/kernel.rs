//! The two kernels: Debian's own, for which everything but the image is made again from its source; and one with every check.

use std::fs;
use std::path::PathBuf;

use anyhow::{bail, ensure, Context, Result};

use super::cache::Cache;
use super::chroot::{remove, Chroot};
use super::packages;

/// The options of the kernel with the checks, beside the least possible.
const CHECKED: &str = include_str!("checked.config");

/// Where packages are unpacked.
const UNPACKED: &str = "/unpacked";

/// A kernel that can be booted, and modules built for.
pub struct Kernel {
    pub flavour: Flavour,
    /// As `uname -r` will say.
    pub release: String,
    pub image: PathBuf,
    /// What makes modules for it, up to the folder.
    make: String,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Flavour {
    Stock,
    Checked,
}

impl Flavour {
    pub fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Checked => "checked",
        }
    }
}

/// What is kept: packages' versions, and how they are built.
pub struct Source<'c> {
    cache: &'c Cache,
    pub chroot: &'c Chroot<'c>,
    package: packages::Kernel,
    /// In the chroot.
    path: String,
}

impl<'c> Source<'c> {
    /// The source of the newest kernel.
    pub fn make(cache: &'c Cache, chroot: &'c Chroot<'c>) -> Result<Self> {
        let package = chroot.newest_kernel()?;
        let path = format!("/src/{}", package.source);
        let what = format!("the source of Linux {}", package.version);
        cache.step("source", &package.source_exactly(), &what, || {
            remove(&chroot.path("/src"))?;
            chroot.unpack("source", UNPACKED, &[package.source_exactly()])?;
            let archive = format!("{UNPACKED}/usr/src/{}.tar.xz", package.source);
            chroot.run("tar", &format!("mkdir -p /src && tar xf {archive} -C /src"))?;
            ensure!(chroot.path(&path).is_dir(), "no {path} in the archive");
            remove(&chroot.path(UNPACKED))
        })?;
        Ok(Self {
            cache,
            chroot,
            package,
            path,
        })
    }

    /// Debian's kernel as it is, and a tree in which modules for it can be built.
    pub fn stock(&self) -> Result<Kernel> {
        let (chroot, package) = (self.chroot, &self.package);
        let release = &package.release;
        let make = format!("make -C /build/stock LOCALVERSION= KERNELRELEASE={release}");
        let what = format!("what modules for {release} need");
        self.cache
            .step("stock", &package.image_exactly(), &what, || {
                remove(&chroot.path("/build/stock"))?;
                let packages = [package.headers(), package.image_exactly()];
                chroot.unpack("packages", UNPACKED, &packages)?;
                let headers = format!("{UNPACKED}/usr/src/linux-headers-{release}");
                // The headers have no metadata of the Rust crates, but the source makes the same again.
                let source = &self.path;
                chroot.run(
                    "stock-config",
                    &format!(
                        "mkdir -p /build/stock
                         cp {headers}/.config {headers}/Module.symvers /build/stock/
                         cp $(find {UNPACKED} -name 'vmlinuz*' | head -n 1) /build/stock/vmlinuz
                         make -C {source} O=/build/stock olddefconfig"
                    ),
                )?;
                let config = |path: String| {
                    let path = chroot.path(&path);
                    fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
                };
                same_tools(
                    &config(format!("{headers}/.config"))?,
                    &config("/build/stock/.config".into())?,
                )?;
                chroot.run("stock", &format!("{make} -j$(nproc) modules_prepare"))?;
                remove(&chroot.path(UNPACKED))
            })?;
        Ok(Kernel {
            flavour: Flavour::Stock,
            release: release.clone(),
            image: chroot.path("/build/stock/vmlinuz"),
            make,
        })
    }

    /// One of the same source with every check that is of use here.
    pub fn checked(&self) -> Result<Kernel> {
        let chroot = self.chroot;
        chroot.add_clang()?;
        let make = "make -C /build/checked LLVM=-19";
        let what = "the kernel with all checks";
        let inputs = format!("{}\n{CHECKED}", self.package.source_exactly());
        self.cache.step("checked", &inputs, what, || {
            remove(&chroot.path("/build/checked"))?;
            fs::create_dir_all(chroot.path("/build/checked"))?;
            fs::write(chroot.path("/build/checked/checked.config"), CHECKED)?;
            let source = &self.path;
            chroot.run(
                "checked-config",
                &format!(
                    "make -C {source} LLVM=-19 O=/build/checked tinyconfig
                 cd /build/checked
                 {source}/scripts/kconfig/merge_config.sh -m .config checked.config
                 {make} olddefconfig"
                ),
            )?;
            let config = fs::read_to_string(chroot.path("/build/checked/.config"))?;
            let refused = refused(CHECKED, &config);
            ensure!(
                refused.is_empty(),
                "the kernel's configuration refuses {}",
                refused.join(", ")
            );
            chroot.run("checked", &format!("{make} -j$(nproc) bzImage modules"))
        })?;
        let release = chroot.output("cat /build/checked/include/config/kernel.release")?;
        Ok(Kernel {
            flavour: Flavour::Checked,
            release: release.trim().to_owned(),
            image: chroot.path("/build/checked/arch/x86/boot/bzImage"),
            make: make.into(),
        })
    }
}

impl Kernel {
    /// The command that builds the modules of a folder in the chroot.
    pub fn make_modules(&self, folder: &str) -> String {
        self.make_target(folder, "modules")
    }

    /// The command that makes something there.
    pub fn make_target(&self, folder: &str, target: &str) -> String {
        format!("{} M={folder} -j$(nproc) {target}", self.make)
    }
}

/// Fails unless the tools of the chroot are those that the kernel was built with. Crates of two compilers do not fit together, and the
/// kernel would not load the module, or worse.
fn same_tools(debian: &str, own: &str) -> Result<()> {
    ensure!(
        value(debian, "CONFIG_RUST") == Some("y"),
        "Debian's kernel was built without Rust"
    );
    // The C compiler goes by another name there. What follows in brackets is the version of Debian's package.
    let version = |config| {
        let text: &str = value(config, "CONFIG_CC_VERSION_TEXT")?;
        text.find('(').map(|at| text[at..].to_owned())
    };
    let rustc = |config| value(config, "CONFIG_RUSTC_VERSION_TEXT").map(ToOwned::to_owned);
    let tools = [
        ("rustc", rustc(debian), rustc(own)),
        ("gcc", version(debian), version(own)),
    ];
    for (tool, theirs, here) in tools {
        if theirs.is_none() || theirs != here {
            bail!(
                "Debian's kernel was built with another {tool}: {} there, {} here; source, headers, image and compilers must be of one build",
                theirs.as_deref().unwrap_or("nothing"),
                here.as_deref().unwrap_or("nothing")
            );
        }
    }
    Ok(())
}

fn value<'c>(config: &'c str, name: &str) -> Option<&'c str> {
    config
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

/// The options that were asked for and are not so.
fn refused<'a>(asked: &'a str, config: &str) -> Vec<&'a str> {
    let lines: Vec<&str> = config.lines().collect();
    asked
        .lines()
        .filter(|line| line.starts_with("CONFIG_"))
        .filter(|line| !lines.contains(line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "CONFIG_RUST=y\n\
        CONFIG_CC_VERSION_TEXT=\"x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0\"\n\
        CONFIG_RUSTC_VERSION=108501\n\
        CONFIG_RUSTC_VERSION_TEXT=\"rustc 1.85.1 (x)\"\n";

    #[test]
    fn the_tools_must_be_those_of_the_kernel() {
        let own = DEBIAN.replace("x86_64-linux-gnu-gcc-14", "gcc");
        same_tools(DEBIAN, &own).unwrap();
        for (from, to) in [("1.85.1", "1.86.0"), ("14.2.0-19", "14.3.0-1")] {
            let error = same_tools(DEBIAN, &own.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(to), "{error}");
        }
        let without = DEBIAN.replace("CONFIG_RUST=y\n", "");
        assert!(same_tools(&without, &own).is_err());
        assert!(same_tools("CONFIG_RUST=y\n", "").is_err());
    }

    #[test]
    fn an_option_that_is_refused_is_seen() {
        let asked = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=y\n";
        assert_eq!(refused(asked, "CONFIG_A=y\n"), ["CONFIG_C=y"]);
        assert!(refused(asked, "CONFIG_C=y\nCONFIG_A=y\n").is_empty());
    }
}
