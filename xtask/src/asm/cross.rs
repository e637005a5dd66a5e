//! A compiler for other machines: any rustc that has the source of its library beside it. Of that, `core` is built here.
//!
//! Only the metadata is, with the code of all functions in the compiler's own form: no program is linked in the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::machine;
use crate::util::{self, step};

/// For which machines.
pub const TARGETS: [&str; 2] = ["aarch64-unknown-none", "riscv64gc-unknown-none-elf"];

/// What to do about it.
pub const MISSING: &str =
    "the code for aarch64 and riscv64 was not looked at: no rustc here has the source of its library \
     (`rustup component add rust-src`, or `apt-get install rustc-web rust-web-src` on Debian)";

/// The compiler in use, then the system's own.
const COMPILERS: [&str; 2] = ["rustc", "/usr/bin/rustc"];

/// Building `core`; 10 to 20 seconds.
const CORE: Duration = Duration::from_secs(300);

/// `core` refers to it. What is in it is called by what is linked only.
const COMPILER_BUILTINS: &str = "\
#![feature(compiler_builtins)]
#![allow(internal_features)]
#![compiler_builtins]
#![no_std]
";

/// A compiler with the source of its library.
pub struct Toolchain {
    rustc: PathBuf,
    version: String,
    library: PathBuf,
}

/// Where a compiler finds `core` for a target.
pub struct Sysroot {
    pub target: &'static str,
    pub path: PathBuf,
    pub rustc: PathBuf,
    pub compiler: String,
}

impl Toolchain {
    /// The first that there is.
    pub fn find() -> Option<Self> {
        COMPILERS.iter().find_map(|rustc| {
            let rustc = PathBuf::from(rustc);
            let sysroot = machine::answer(&rustc, "--print sysroot").ok()?;
            let library = Path::new(&sysroot).join("lib/rustlib/src/rust/library");
            library.join("core/src/lib.rs").exists().then_some(())?;
            let version = machine::version(&rustc).ok()?;
            Some(Toolchain {
                rustc,
                version,
                library,
            })
        })
    }

    /// `core` for a target; built once for each version of the compiler.
    pub fn sysroot(&self, dir: &Path, target: &'static str) -> Result<Sysroot> {
        let version = self
            .version
            .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let path = dir.join("core").join(version).join(target);
        if !path.exists() {
            step(format!("building core for {target}, once"));
            // It appears when it is complete.
            let partial = path.with_extension("partial");
            self.build_core(&partial, target)?;
            fs::rename(&partial, &path)
                .with_context(|| format!("renaming {}", partial.display()))?;
        }
        Ok(Sysroot {
            target,
            path,
            rustc: self.rustc.clone(),
            compiler: self.version.clone(),
        })
    }

    fn build_core(&self, sysroot: &Path, target: &str) -> Result<()> {
        let crates = sysroot.join("lib/rustlib").join(target).join("lib");
        fs::create_dir_all(&crates).with_context(|| crates.display().to_string())?;
        let builtins = sysroot.join("compiler_builtins.rs");
        fs::write(&builtins, COMPILER_BUILTINS)?;
        for (name, source) in [
            ("core", self.library.join("core/src/lib.rs")),
            ("compiler_builtins", builtins),
        ] {
            let mut rustc = Command::new(&self.rustc);
            rustc
                // The library is written in what is not stable.
                .env("RUSTC_BOOTSTRAP", "1")
                .args(["--crate-name", name, "--crate-type", "lib"])
                .args(["--edition", "2024", "--cap-lints", "allow"])
                .args(["--target", target, "-Copt-level=3"])
                .args(["--emit=metadata", "-Zalways-encode-mir"])
                .arg("--sysroot")
                .arg(sysroot)
                .arg("--out-dir")
                .arg(&crates)
                .arg(&source);
            util::run(&mut rustc, CORE)?;
        }
        Ok(())
    }
}
