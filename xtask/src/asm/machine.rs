//! Building `codegen` for a machine.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::cross::Sysroot;
use crate::util;

const BUILD: Duration = Duration::from_secs(300);
const QUESTION: Duration = Duration::from_secs(20);

/// What to build for, and by which compiler.
pub struct Machine {
    /// None: this machine, with std.
    cross: Option<Sysroot>,
    compiler: String,
}

pub enum Side {
    ByHand,
    Scoped,
}

impl Machine {
    /// This one, which is x86-64 Linux, by the toolchain in use.
    pub fn here() -> Result<Self> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        Ok(Machine {
            cross: None,
            compiler: version(Path::new(&rustc))?,
        })
    }

    /// One for which there is only `core`.
    pub fn cross(sysroot: Sysroot) -> Self {
        Machine {
            compiler: sysroot.compiler.clone(),
            cross: Some(sysroot),
        }
    }

    /// The target's name.
    pub fn name(&self) -> &'static str {
        match &self.cross {
            Some(sysroot) => sysroot.target,
            None => "x86_64-unknown-linux-gnu",
        }
    }

    /// Whether it has std, and so `Host`.
    pub fn hosted(&self) -> bool {
        self.cross.is_none()
    }

    /// What the compiler calls itself.
    pub fn compiler(&self) -> &str {
        &self.compiler
    }

    /// What begins a comment in its assembly.
    pub fn comment(&self) -> &'static str {
        if self.name().starts_with("aarch64") {
            "//"
        } else {
            "#"
        }
    }

    /// The assembly of one side.
    pub fn build(&self, dir: &Path, side: Side) -> Result<String> {
        let (word, features): (_, &[&str]) = match side {
            Side::ByHand => ("by-hand", &[]),
            Side::Scoped => ("scoped", &["--features", "scoped"]),
        };
        let file: PathBuf = dir.join(format!("{}-{word}.s", self.name()));
        let mut cargo = util::cargo();
        cargo
            .current_dir(util::root())
            // Whoever sets these wants them for other programs; here they would change the code.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .args(["rustc", "--quiet", "--release"])
            .args(["--package", "codegen", "--lib"])
            .args(features);
        match &self.cross {
            None => cargo.arg("--target-dir").arg(dir.join("build")),
            Some(sysroot) => cargo
                .env("RUSTC", &sysroot.rustc)
                .env(
                    "CARGO_ENCODED_RUSTFLAGS",
                    format!("--sysroot\u{1f}{}", sysroot.path.display()),
                )
                .args(["--no-default-features", "--target", sysroot.target])
                .arg("--target-dir")
                .arg(dir.join("build-cross")),
        };
        cargo
            // As in a program, where thread-locals are found without a call.
            .args([
                "--",
                "-Ccodegen-units=1",
                "-Cdebuginfo=0",
                "-Crelocation-model=static",
            ])
            .arg(format!("--emit=asm={}", file.display()))
            // The functions are called by nobody.
            .arg("-Adead_code");
        util::run(&mut cargo, BUILD)?;
        fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
    }
}

/// What a compiler calls itself.
pub fn version(rustc: &Path) -> Result<String> {
    answer(rustc, "--version")
}

/// A compiler's answer to one question.
pub fn answer(rustc: &Path, question: &str) -> Result<String> {
    let mut command = Command::new(rustc);
    let answer = util::output(command.args(question.split(' ')), QUESTION)?;
    Ok(String::from_utf8_lossy(&answer).trim().to_owned())
}
