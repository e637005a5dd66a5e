//! Builds the modules: copies what they consist of to a folder beside the kernel's tree, as it is, and runs the kernel's make there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use super::chroot::{remove, Chroot};
use super::kernel::Kernel;
use crate::util;

/// What is copied, and where to. Whatever is not there (yet) is left out, and the modules of it with it.
const PARTS: [(&str, &str); 6] = [
    ("src", "driver_scope/src"),
    ("drivers/edu/src", "edu"),
    ("platforms/linux-kernel/src", "glue"),
    ("platforms/linux-kernel/modules", "modules"),
    ("platforms/linux-kernel/rivals", "rivals"),
    ("platforms/linux-kernel/Kbuild", "Kbuild"),
];

/// Every module, by the folder that its own file is in.
const MODULES: [(&str, &str); 5] = [
    ("modules", "edu"),
    ("modules", "edu_load"),
    ("modules", "edu_leak"),
    ("rivals", "edu_bound"),
    ("rivals", "edu_devres"),
];

/// The crate of another project that the driver uses.
const BITFLAGS: &str = "bitflags";

/// What make may say although it has the looks of a warning, and why that is all right.
const HARMLESS: [&str; 2] = [
    // There is no kernel of the build's own that the description of types could be taken from; nothing here wants it.
    "Skipping BTF generation",
    // Symbols for the padding before functions, which are of use in back traces. Names of closures in generic functions are long.
    "symbol name too long, can't create __pfx_ symbol",
];

/// Modules that were built.
pub struct Modules {
    /// Names and files.
    pub files: Vec<(&'static str, PathBuf)>,
}

impl Modules {
    pub fn has(&self, name: &str) -> bool {
        self.files.iter().any(|(other, _)| *other == name)
    }
}

/// A text in a file of the copy that stands for another.
pub struct Change {
    /// In the copy: `glue/timers.rs`.
    pub file: &'static str,
    pub from: &'static str,
    pub to: &'static str,
}

/// Builds the modules. Any warning fails.
pub fn build(chroot: &Chroot, kernel: &Kernel) -> Result<Modules> {
    copy(chroot, kernel)?;
    let (modules, text) = make(chroot, kernel)?;
    let warnings = warnings(&text);
    if !warnings.is_empty() {
        println!("{text}");
        bail!(
            "the build of the modules has warnings:\n    {}",
            warnings.join("\n    ")
        );
    }
    Ok(modules)
}

/// Builds one module alone, with these changes, of which the compiler may think what it likes.
pub fn build_changed(
    chroot: &Chroot,
    kernel: &Kernel,
    only: &str,
    changes: &[Change],
) -> Result<Modules> {
    let copy = copy(chroot, kernel)?;
    for (part, name) in MODULES.iter().filter(|(_, name)| *name != only) {
        let file = copy.join(part).join(format!("{name}.rs"));
        if file.exists() {
            fs::remove_file(file)?;
        }
    }
    for change in changes {
        apply(&copy, change)?;
    }
    make(chroot, kernel).map(|(modules, _)| modules)
}

/// In the chroot.
fn folder(kernel: &Kernel) -> String {
    format!("/build/modules-{}", kernel.flavour.name())
}

/// Copies the parts to a new folder.
fn copy(chroot: &Chroot, kernel: &Kernel) -> Result<PathBuf> {
    let copy = chroot.path(&folder(kernel));
    remove(&copy)?;
    for (from, to) in PARTS {
        copy_all(&util::root().join(from), &copy.join(to))?;
    }
    copy_all(&bitflags()?, &copy.join(BITFLAGS))?;
    Ok(copy)
}

/// Makes what was copied; returns also what make says.
fn make(chroot: &Chroot, kernel: &Kernel) -> Result<(Modules, String)> {
    let folder = folder(kernel);
    let copy = chroot.path(&folder);
    let wanted: Vec<_> = MODULES
        .iter()
        .filter(|(part, name)| copy.join(part).join(format!("{name}.rs")).exists())
        .collect();
    ensure!(
        !wanted.is_empty(),
        "there are no modules in platforms/linux-kernel"
    );

    let log = format!("modules-{}", kernel.flavour.name());
    let text = chroot.transcript(&log, &kernel.make_modules(&folder))?;
    let mut files = Vec::new();
    for (_, name) in wanted {
        let file = copy.join(format!("{name}.ko"));
        ensure!(file.exists(), "no module {}", file.display());
        files.push((*name, file));
    }
    Ok((Modules { files }, text))
}

/// Copies a file or a folder, or nothing.
fn copy_all(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy_all(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else if from.exists() {
        fs::copy(from, to).with_context(|| format!("copying {}", from.display()))?;
    }
    Ok(())
}

fn apply(copy: &Path, change: &Change) -> Result<()> {
    let file = copy.join(change.file);
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", change.file))?;
    fs::write(&file, changed(&text, change)?)?;
    Ok(())
}

pub fn changed(text: &str, change: &Change) -> Result<String> {
    let times = text.matches(change.from).count();
    ensure!(
        times == 1,
        "{} times in {}, expected once:\n{}",
        times,
        change.file,
        change.from
    );
    Ok(text.replace(change.from, change.to))
}

/// The source of bitflags, of the version in Cargo.lock: where cargo has it.
fn bitflags() -> Result<PathBuf> {
    let mut cargo = util::cargo();
    cargo
        .current_dir(util::root())
        .args(["metadata", "--format-version=1", "--locked"]);
    let text = util::output(&mut cargo, Duration::from_secs(300))?;
    let text = String::from_utf8_lossy(&text);
    let lock = fs::read_to_string(util::root().join("Cargo.lock"))?;
    // Of the one that the driver has: the newest, if there are several.
    let version = locked(&lock, BITFLAGS).context("no bitflags in Cargo.lock")?;
    let manifest = manifest(&text, &format!("{BITFLAGS}-{version}"))
        .context("cargo has no source of bitflags")?;
    Ok(manifest.with_file_name("src"))
}

/// The version of a package in the lock file.
fn locked<'l>(lock: &'l str, name: &str) -> Option<&'l str> {
    let name = format!("name = \"{name}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines
        .nth(1)?
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}

/// A manifest whose folder has this name, of those that cargo's metadata names.
fn manifest(metadata: &str, folder: &str) -> Option<PathBuf> {
    metadata
        .split("\"manifest_path\":\"")
        .skip(1)
        .find_map(|rest| {
            let path = Path::new(rest.split('"').next()?);
            (path.parent()?.file_name()? == folder).then(|| path.to_owned())
        })
}

/// The lines in which make, a compiler or modpost warns.
fn warnings(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.to_lowercase().contains("warning"))
        .filter(|line| !HARMLESS.iter().any(|harmless| line.contains(harmless)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_must_apply_once() {
        let change = Change {
            file: "x.rs",
            from: "cancel();",
            to: "",
        };
        assert_eq!(changed("a cancel(); b", &change).unwrap(), "a  b");
        assert!(changed("a b", &change).is_err());
        assert!(changed("cancel(); cancel();", &change).is_err());
    }

    #[test]
    fn the_source_of_a_package_is_found() {
        let lock = "[[package]]\nname = \"bitflag\"\nversion = \"1\"\n\n[[package]]\nname = \"bitflags\"\nversion = \"2.1.0\"\n";
        assert_eq!(locked(lock, "bitflags"), Some("2.1.0"));
        assert_eq!(locked(lock, "x"), None);
        let metadata = r#"{"manifest_path":"/r/x-1/Cargo.toml"},{"manifest_path":"/r/bitflags-2.1.0/Cargo.toml","y":1}"#;
        let found = manifest(metadata, "bitflags-2.1.0");
        assert_eq!(found, Some(PathBuf::from("/r/bitflags-2.1.0/Cargo.toml")));
        assert_eq!(manifest(metadata, "bitflags-2"), None);
    }

    #[test]
    fn warnings_are_found() {
        let text = "  RUSTC [M] edu/lib.o\nwarning: unused variable: `x`\n  LD [M]  edu.ko\n\
            Skipping BTF generation for edu.ko due to unavailability of vmlinux\nWARNING: modpost: missing MODULE_LICENSE()\n";
        let found = warnings(text);
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
