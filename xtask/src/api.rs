//! `cargo xtask api`: the public API, compared with the listing that is kept in `docs/api`.
//!
//! It is what rustdoc's JSON says, which only a nightly compiler writes, in the words of `cargo public-api`: `core.txt` has what there is without features, and
//! `features.txt` what all of them add. A change of the API so is a change of these files, which a reviewer sees.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use crate::install;
use crate::util::{self, step};

const USAGE: &str = "usage: cargo xtask api [--bless]";
const LIMIT: Duration = Duration::from_secs(600);
/// How many lines of a difference are shown.
const SHOWN: usize = 60;

pub fn run(args: &[String]) -> Result<()> {
    let bless = match args {
        [] => false,
        [option] if option == "--bless" => true,
        _ => bail!(USAGE),
    };
    match check(bless)? {
        None => Ok(()),
        Some(why) => bail!(why),
    }
}

/// Compares the API with what is kept, or keeps it. `Ok(Some(why))`: it cannot be had here.
pub fn check(bless: bool) -> Result<Option<String>> {
    if !install::runs("cargo", &["+nightly", "--version"]) {
        return Ok(Some(
            "no nightly compiler is installed (rustup toolchain install nightly)".into(),
        ));
    }
    let core = listing("--no-default-features")?;
    let all = listing("--all-features")?;
    let (gone, added) = difference(&core, &all);
    let mut wrong = !gone.is_empty();
    for line in gone {
        println!("  a feature takes away: {line}");
    }
    for (name, is) in [
        ("core.txt", core.as_str()),
        ("features.txt", &added.join("\n")),
    ] {
        let path = kept(name);
        if bless {
            fs::create_dir_all(kept(""))?;
            fs::write(&path, format!("{}\n", is.trim_end()))
                .with_context(|| format!("writing {}", path.display()))?;
            continue;
        }
        let was =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let (gone, new) = difference(&was, is);
        wrong |= !(gone.is_empty() && new.is_empty());
        tell(name, '-', &gone);
        tell(name, '+', &new);
    }
    ensure!(
        !wrong,
        "the public API is not what docs/api has; if that is meant: cargo xtask api --bless, and tell it in CHANGELOG.md"
    );
    step(format!(
        "{} lines of public API, and {} by features",
        core.lines().count(),
        added.len()
    ));
    Ok(None)
}

fn tell(name: &str, sign: char, lines: &[&str]) {
    for line in lines.iter().take(SHOWN) {
        println!("  {name}: {sign}{line}");
    }
    if lines.len() > SHOWN {
        println!("  {name}: and {} more", lines.len() - SHOWN);
    }
}

fn kept(name: &str) -> PathBuf {
    util::root().join("docs/api").join(name)
}

/// The API with these features.
fn listing(features: &str) -> Result<String> {
    let target = util::target_dir()?.join("api");
    let mut rustdoc = nightly();
    rustdoc
        .env_remove("RUSTDOCFLAGS")
        .env_remove("RUSTFLAGS")
        .env("CARGO_TARGET_DIR", &target)
        .args([
            "rustdoc",
            "--quiet",
            "--package",
            "driver-scope",
            "--lib",
            features,
        ])
        .args(["--", "-Zunstable-options", "--output-format=json"]);
    util::run(&mut rustdoc, LIMIT)?;
    let mut list = util::cargo();
    list.current_dir(util::root())
        .args(["run", "--quiet", "--package", "api-listing", "--"])
        .arg(target.join("doc/driver_scope.json"));
    Ok(String::from_utf8(util::output(&mut list, LIMIT)?)?)
}

/// The `cargo` that takes a toolchain, and not the one that runs this.
fn nightly() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(util::root()).arg("+nightly");
    cargo
}

/// What has gone, and what is new: lines, each as often as it is there, in their order.
fn difference<'a>(was: &'a str, is: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let beyond = |one: &'a str, other: &'a str| {
        let mut there: HashMap<&'a str, usize> = HashMap::new();
        for line in other.lines() {
            *there.entry(line).or_default() += 1;
        }
        let missing = |line: &&'a str| match there.get_mut(*line) {
            Some(left @ 1..) => {
                *left -= 1;
                false
            }
            _ => true,
        };
        one.lines().filter(missing).collect()
    };
    (beyond(was, is), beyond(is, was))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_compared_as_often_as_they_are_there() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), (vec![], vec![]));
        assert_eq!(
            difference("a\nb\n", "b\nc\nb\n"),
            (vec!["a"], vec!["c", "b"])
        );
        assert_eq!(difference("", "a\n"), (vec![], vec!["a"]));
    }
}
