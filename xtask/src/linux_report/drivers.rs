//! The three drivers, and how each becomes a module.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::qemu::linux;
use crate::util;

/// A driver that is compared.
pub struct Driver {
    /// Its module.
    pub name: &'static str,
    pub title: &'static str,
    /// What is written for it, folders or files; the file to user space is not.
    sources: &'static [&'static str],
    /// What is copied to build it: from where in the repository, to where in the folder of the build.
    staged: &'static [(&'static str, &'static str)],
}

const GLUE: &str = "platforms/linux-kernel";

pub const DRIVERS: [Driver; 3] = [
    Driver {
        name: "edu",
        title: "driver-scope",
        sources: &["drivers/edu/src", "platforms/linux-kernel/modules/edu.rs"],
        staged: &[
            ("src", "driver_scope/src"),
            ("drivers/edu/src", "edu"),
            ("platforms/linux-kernel/src", "glue"),
            ("platforms/linux-kernel/modules", "modules"),
            ("platforms/linux-kernel/Kbuild", "Kbuild"),
        ],
    },
    Driver {
        name: "edu_bound",
        title: "`Data<'bound>`",
        sources: &[
            "platforms/linux-kernel/rivals/edu_bound.rs",
            "platforms/linux-kernel/rivals/device.rs",
            "platforms/linux-kernel/rivals/registers.rs",
        ],
        staged: RIVAL,
    },
    Driver {
        name: "edu_devres",
        title: "`Devres`",
        sources: &[
            "platforms/linux-kernel/rivals/edu_devres.rs",
            "platforms/linux-kernel/rivals/device.rs",
            "platforms/linux-kernel/rivals/registers.rs",
        ],
        staged: RIVAL,
    },
];

/// The files that make a module each.
const OTHERS: [&str; 5] = [
    "modules/edu.rs",
    "modules/edu_load.rs",
    "modules/edu_leak.rs",
    "rivals/edu_bound.rs",
    "rivals/edu_devres.rs",
];

const RIVAL: &[(&str, &str)] = &[
    ("platforms/linux-kernel/rivals", "rivals"),
    ("platforms/linux-kernel/Kbuild", "Kbuild"),
];

impl Driver {
    /// The files that are counted, from the root of the repository.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for source in self.sources {
            let path = util::root().join(source);
            if path.is_file() {
                files.push(PathBuf::from(source));
                continue;
            }
            for entry in fs::read_dir(&path).with_context(|| format!("reading {source}"))? {
                files.push(Path::new(source).join(entry?.file_name()));
            }
        }
        files.sort();
        Ok(files)
    }

    /// Copies what it is made of into a folder named like it in `into`; that folder.
    pub fn stage(&self, into: &Path) -> Result<PathBuf> {
        let folder = into.join(self.name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        for (from, to) in self.staged {
            copy(&util::root().join(from), &folder.join(to))?;
        }
        // Whatever other module is there would be made too.
        for other in OTHERS
            .iter()
            .filter(|other| !other.ends_with(&format!("/{}.rs", self.name)))
        {
            let other = folder.join(other);
            if other.exists() {
                fs::remove_file(other)?;
            }
        }
        if self.is_ours() {
            copy(&bitflags()?, &folder.join("bitflags"))?;
        }
        Ok(folder)
    }

    pub fn is_ours(&self) -> bool {
        self.staged
            .iter()
            .any(|(from, _)| *from == format!("{GLUE}/src"))
    }
}

/// Copies a file or all in a folder.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_file() {
        fs::create_dir_all(to.parent().context("a place in a folder")?)?;
        fs::copy(from, to).with_context(|| format!("copying {}", from.display()))?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let name = entry?.file_name();
        copy(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

/// The sources of the crate, of the version that the workspace has.
fn bitflags() -> Result<PathBuf> {
    let mut metadata = util::cargo();
    metadata
        .current_dir(util::root())
        .args([
            "tree",
            "--package",
            "bitflags@2",
            "--depth",
            "0",
            "--format",
            "{p}",
        ])
        .args(["--prefix", "none"]);
    let tree = util::output(&mut metadata, Duration::from_secs(60))?;
    let tree = String::from_utf8(tree)?;
    let version = tree
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.strip_prefix('v'));
    let version = version.context("cargo knows no bitflags")?;
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let sources = home.context("no HOME")?.join("registry/src");
    for registry in fs::read_dir(&sources)? {
        let path = registry?.path().join(format!("bitflags-{version}/src"));
        if path.exists() {
            return Ok(path);
        }
    }
    anyhow::bail!("no source of bitflags {version} in {}", sources.display())
}

/// The program that is the init of the guests.
pub fn guest() -> Result<PathBuf> {
    let dir = util::target_dir()?.join("qemu");
    linux::build("linux-kernel/measure", "edu-linux-measure", &dir)
}
