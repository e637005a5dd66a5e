//! `cargo xtask licences`: everything that is built in may be used under a licence of the list below, and every dependency stands in `CONTRIBUTING.md` with
//! its reason.
//!
//! The tables there are compared with what cargo says, both ways: none can be added without a reason, none stays when it has gone.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;
use spdx::{Expression, ParseMode};

use crate::util::{self, step};

const LIMIT: Duration = Duration::from_secs(300);

/// One of these is enough.
const ALLOWED: [&str; 9] = [
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "NCSA",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// What is built by itself.
const WORKSPACES: [&str; 6] = [
    "Cargo.toml",
    "benches/size/Cargo.toml",
    "fuzz/Cargo.toml",
    "platforms/bare-metal/Cargo.toml",
    "tests/no-alloc/Cargo.toml",
    "tests/no-std/Cargo.toml",
];

/// What links with Linux says that it is under Linux's licence; nothing else is.
const GPL: (&str, &str) = ("SPDX-License-Identifier: GPL", "platforms/linux-kernel/");

/// In `CONTRIBUTING.md`, the tables are behind these lines.
const DIRECT: &str = "<!-- checked: direct dependencies -->";
const PUBLISHED: &str = "<!-- checked: all that is published -->";

pub fn run(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask licences");
    let mut wrong = Vec::new();
    let mut licences = 0;
    let mut direct = BTreeSet::new();
    for workspace in WORKSPACES {
        let all = metadata(
            workspace,
            &["--locked", "--filter-platform", "x86_64-unknown-linux-gnu"],
        )?;
        for package in array(&all["packages"]) {
            licences += 1;
            wrong.extend(not_allowed(package));
        }
        let own = metadata(workspace, &["--no-deps"])?;
        direct.extend(array(&own["packages"]).iter().flat_map(dependencies));
    }
    let gpl = util::output(git().args(["grep", "-l", GPL.0, "--", ":!xtask"]), LIMIT)?;
    for file in String::from_utf8(gpl)?.lines() {
        if !file.starts_with(GPL.1) {
            wrong.push(format!("{file} is under the GPL, and not in {}", GPL.1));
        }
    }
    let page = fs::read_to_string(util::root().join("CONTRIBUTING.md"))?;
    let listed = table(&page, DIRECT)?
        .iter()
        .flat_map(|row| uses(row))
        .collect();
    wrong.extend(differences("a direct dependency", &direct, &listed));
    let published = published()?;
    let listed = table(&page, PUBLISHED)?
        .iter()
        .map(|row| row[0].clone())
        .collect();
    wrong.extend(differences(
        "part of the published crate",
        &published,
        &listed,
    ));
    for line in &wrong {
        println!("  {line}");
    }
    ensure!(
        wrong.is_empty(),
        "{} things are wrong with the dependencies",
        wrong.len()
    );
    step(format!(
        "{licences} licences; {} direct dependencies, and {} crates behind all features, each with its reason",
        direct.len(),
        published.len()
    ));
    Ok(())
}

fn git() -> Command {
    let mut git = Command::new("git");
    git.current_dir(util::root());
    git
}

fn metadata(workspace: &str, args: &[&str]) -> Result<Value> {
    let mut cargo = util::cargo();
    cargo
        .current_dir(util::root())
        .args([
            "metadata",
            "--quiet",
            "--format-version=1",
            "--manifest-path",
            workspace,
        ])
        .args(args);
    serde_json::from_slice(&util::output(&mut cargo, LIMIT)?).context("cargo's metadata")
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Says so if a package cannot be used under a licence of the list.
fn not_allowed(package: &Value) -> Option<String> {
    let (name, licence) = (text(&package["name"]), text(&package["license"]));
    match is_allowed(licence) {
        Ok(true) => None,
        Ok(false) => Some(format!(
            "{name} is under {licence:?}, which is not on the list"
        )),
        Err(why) => Some(format!(
            "{name} is under {licence:?}, which is no licence: {why}"
        )),
    }
}

fn is_allowed(licence: &str) -> Result<bool> {
    // Lax: older packages write `/` for `OR`.
    let expression = Expression::parse_mode(licence, ParseMode::LAX)?;
    Ok(expression.evaluate(|needed| {
        let id = needed.license.id();
        id.is_some_and(|id| ALLOWED.contains(&id.name))
    }))
}

/// The dependencies of a package that come from elsewhere, as `name version of package`.
fn dependencies(package: &Value) -> Vec<String> {
    let foreign = array(&package["dependencies"])
        .iter()
        .filter(|dependency| !dependency["source"].is_null());
    foreign
        .map(|dependency| {
            let version = text(&dependency["req"]).trim_start_matches('^');
            format!(
                "{} {version} of {}",
                text(&dependency["name"]),
                text(&package["name"])
            )
        })
        .collect()
}

/// All that the published crate is built with, features and all.
fn published() -> Result<BTreeSet<String>> {
    let mut tree = util::cargo();
    tree.current_dir(util::root()).args([
        "tree",
        "--quiet",
        "--package=driver-scope",
        "--edges=normal,build",
        "--all-features",
        "--target=x86_64-unknown-linux-gnu",
        "--prefix=none",
        "--format={p}",
    ]);
    let names = String::from_utf8(util::output(&mut tree, LIMIT)?)?;
    let names = names.lines().filter_map(|line| line.split(' ').next());
    Ok(names
        .filter(|name| *name != "driver-scope")
        .map(ToOwned::to_owned)
        .collect())
}

/// The cells of the table that follows a line: without its head, and without marks of code. No cell may be empty.
fn table(page: &str, mark: &str) -> Result<Vec<Vec<String>>> {
    let (_, rest) = page
        .split_once(mark)
        .with_context(|| format!("CONTRIBUTING.md has no {mark}"))?;
    let rows = rest
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2);
    rows.map(|row| {
        let row = row.trim_matches('|').split(" | ");
        let cells: Vec<String> = row.map(|cell| cell.trim().replace('`', "")).collect();
        if cells.len() < 3 || cells.iter().any(String::is_empty) {
            bail!("CONTRIBUTING.md: a cell is missing in {cells:?}");
        }
        Ok(cells)
    })
    .collect()
}

/// What a row of the first table says: the dependency with its version, and each package that has it.
fn uses(row: &[String]) -> Vec<String> {
    let packages = row[1].split(", ");
    packages
        .map(|package| format!("{} of {package}", row[0]))
        .collect()
}

fn differences(what: &str, is: &BTreeSet<String>, listed: &BTreeSet<String>) -> Vec<String> {
    let missing = is.difference(listed);
    let missing =
        missing.map(|one| format!("{one}: {what}, and CONTRIBUTING.md does not say what for"));
    let stale = listed.difference(is);
    let stale = stale.map(|one| format!("{one}: in CONTRIBUTING.md, but not {what}"));
    missing.chain(stale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_licence_of_several_is_enough_and_all_that_are_needed_count() {
        for licence in [
            "MIT/Apache-2.0",
            "GPL-3.0-only OR MIT",
            "(MIT OR GPL-2.0-only) AND Unicode-3.0",
        ] {
            assert!(is_allowed(licence).unwrap(), "{licence}");
        }
        for licence in ["GPL-2.0-only", "MIT AND GPL-2.0-only", "MPL-2.0"] {
            assert!(!is_allowed(licence).unwrap(), "{licence}");
        }
        assert!(is_allowed("").is_err());
    }

    #[test]
    fn a_dependency_of_our_own_is_none() {
        let package = serde_json::json!({"name": "a", "dependencies": [
            {"name": "b", "req": "^1.2", "source": "registry"},
            {"name": "own", "req": "*", "source": null},
        ]});
        assert_eq!(dependencies(&package), ["b 1.2 of a"]);
    }

    #[test]
    fn the_tables_are_read_and_compared() {
        let page = "x\n<!-- m -->\n\n| a | b | c |\n|---|---|---|\n| `d 1` | `e`, `f` | for `g` |\n\n| h |\n";
        let rows = table(page, "<!-- m -->").unwrap();
        assert_eq!(rows, [["d 1", "e, f", "for g"]]);
        assert_eq!(uses(&rows[0]), ["d 1 of e", "d 1 of f"]);
        assert!(table("m\n| a |\n|---|\n| d | e | |\n", "m").is_err());
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        assert_eq!(
            differences("x", &set(&["a", "b"]), &set(&["b", "c"])).len(),
            2
        );
    }
}
