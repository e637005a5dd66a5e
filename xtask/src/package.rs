//! `cargo xtask package`: what would be published is whole, and nothing in it has a loose end.
//!
//! A dry run of the publication packs the crate and builds it from the package. Beyond that: cargo has nothing to warn of, the links of its first page lead to something in
//! it, it builds without features and with all, its tests too, and without those with the oldest versions of its dependencies that it
//! says it takes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use crate::install;
use crate::util::{self, step};

const LIMIT: Duration = Duration::from_secs(600);
/// What a dry run says at its end.
const EXPECTED: &str = "warning: aborting upload due to dry run";

pub fn run(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask package");
    match check()? {
        None => Ok(()),
        Some(why) => bail!(why),
    }
}

/// `Ok(Some(why))`: not all of it can be checked here.
pub fn check() -> Result<Option<String>> {
    let target = util::target_dir()?.join("publish");
    fs::create_dir_all(&target).with_context(|| format!("creating {}", target.display()))?;
    let package = pack(&target)?;
    links_lead_somewhere(&package)?;
    let build = |cargo: Command, args: &[&str]| {
        let mut check = beside(cargo, &package, &target);
        check.env("RUSTFLAGS", "-Dwarnings");
        util::run(check.args(["check", "--quiet"]).args(args), LIMIT)
    };
    build(util::cargo(), &["--no-default-features"])?;
    build(util::cargo(), &["--all-features", "--tests"])?;
    if !install::runs("cargo", &["+nightly", "--version"]) {
        return Ok(Some(
            "no nightly compiler is installed, which is needed to try the oldest dependencies"
                .into(),
        ));
    }
    step("with the oldest dependencies");
    let mut update = beside(nightly(), &package, &target);
    util::run(
        update.args(["update", "--quiet", "-Zdirect-minimal-versions"]),
        LIMIT,
    )?;
    build(nightly(), &["--no-default-features"])?;
    build(nightly(), &["--all-features"])?;
    Ok(None)
}

/// Packs the crate, has cargo build the package, and returns where it is unpacked.
fn pack(target: &Path) -> Result<PathBuf> {
    let said = target.join("publish.txt");
    let mut publish = util::cargo();
    publish
        .current_dir(util::root())
        .env("CARGO_TARGET_DIR", target)
        .args([
            "publish",
            "--dry-run",
            "--package",
            "driver-scope",
            "--allow-dirty",
        ])
        .stderr(File::create(&said).with_context(|| format!("creating {}", said.display()))?);
    let done = util::run(&mut publish, LIMIT);
    let said = fs::read_to_string(&said)?;
    print!("{said}");
    done?;
    let warnings: Vec<&str> = warnings(&said).collect();
    ensure!(warnings.is_empty(), "cargo warns: {}", warnings.join("; "));
    let packed = fs::read_dir(target.join("package"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("Cargo.toml.orig").exists());
    let mut packed: Vec<PathBuf> = packed.collect();
    packed.sort();
    let package = packed.pop().context("cargo has unpacked nothing")?;
    // It lies within the repository, as build products do, and would be taken for a member of its workspace.
    let manifest = package.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    fs::write(&manifest, format!("{text}\n[workspace]\n"))?;
    Ok(package)
}

fn warnings(said: &str) -> impl Iterator<Item = &str> {
    said.lines()
        .filter(|line| line.starts_with("warning:") && *line != EXPECTED)
}

/// Cargo for the package, which is no part of the workspace and has its own list of what it needs.
fn beside(mut cargo: Command, package: &Path, target: &Path) -> Command {
    cargo
        .current_dir(package)
        .env("CARGO_TARGET_DIR", target.join("build"))
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo
}

/// The `cargo` that takes a toolchain, and not the one that runs this.
fn nightly() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.arg("+nightly");
    cargo
}

/// (Those of `docs/` lead on into the repository.)
fn links_lead_somewhere(package: &Path) -> Result<()> {
    let pages = ["README.md", "CHANGELOG.md"].map(|page| package.join(page));
    let mut loose = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page).with_context(|| page.display().to_string())?;
        let dead = links(&text).filter(|link| !package.join(link).exists());
        loose.extend(dead.map(|link| format!("{}: {link}", page.display())));
    }
    ensure!(
        loose.is_empty(),
        "links to what is not in the package (name it as code, \"in the repository\"):\n  {}",
        loose.join("\n  ")
    );
    Ok(())
}

/// The files to which a page in Markdown leads, relative to it.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| {
        let link = rest.split_once(')')?.0;
        let file = link.split('#').next()?;
        let is_file =
            !file.is_empty() && !file.contains("://") && !file.contains(char::is_whitespace);
        is_file.then_some(file)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_warns_of_is_found() {
        let said = "   Packaging x\nwarning: manifest has no repository\n  |\nwarning: aborting upload due to dry run\n";
        assert_eq!(
            warnings(said).collect::<Vec<_>>(),
            ["warning: manifest has no repository"]
        );
    }

    #[test]
    fn links_to_files_are_found() {
        let text = "see [a](docs/a.md#part) and [b](https://b.example), [c](#c), f[0](x, y) [`d`](../d.rs)";
        assert_eq!(links(text).collect::<Vec<_>>(), ["docs/a.md", "../d.rs"]);
    }
}
