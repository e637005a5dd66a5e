//! `cargo xtask unsafe-index`: every piece of unsafe code, with the invariants that it rests on.
//!
//! `docs/soundness.md` names the invariants. Each `// SAFETY:` comment ends with the names of those that it uses, in brackets; this finds all unsafe
//! code, complains of what names none, or one that is not there, and compares `docs/unsafe-index.md` with what it has found. It also looks whether the
//! tests that `docs/soundness.md` names exist.

mod claims;
mod comments;
mod page;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use crate::util::{self, step};
use scan::Site;

const USAGE: &str = "usage: cargo xtask unsafe-index [--bless]";
const INDEX: &str = "docs/unsafe-index.md";
const ARGUMENT: &str = "docs/soundness.md";

/// What is not argued for: drivers by Linux's own abstractions, which ours are compared with.
const RIVALS: &str = "platforms/linux-kernel/rivals/";

/// The sites of each file that has any, by the file's path.
type Sites = BTreeMap<String, Vec<Site>>;

pub fn run(args: &[String]) -> Result<()> {
    match args {
        [] => check(false),
        [flag] if flag == "--bless" => check(true),
        _ => bail!(USAGE),
    }
}

/// Looks at everything; with `bless`, writes the index.
pub fn check(bless: bool) -> Result<()> {
    let root = util::root();
    let argument = read(root, ARGUMENT)?;
    let invariants = claims::invariants(&argument)?;
    let mut complaints = claims::missing(&argument, root)?;

    let mut sites = Sites::new();
    for file in sources(root)? {
        let found = scan::sites(&read(root, &file)?).with_context(|| file.clone())?;
        for site in &found {
            if let Some(complaint) = complaint(site, &invariants) {
                complaints.push(format!("{file}:{}: {complaint}", site.line));
            }
        }
        if !found.is_empty() {
            sites.insert(file, found);
        }
    }
    for (name, _) in &invariants {
        if !page::uses(&sites, name) {
            complaints.push(format!(
                "{ARGUMENT}: nothing rests on {name}: no SAFETY comment names it"
            ));
        }
    }
    ensure!(
        complaints.is_empty(),
        "{} to be mended:\n{}",
        complaints.len(),
        complaints.join("\n")
    );

    let page = page::page(&sites, &invariants);
    if bless {
        fs::write(root.join(INDEX), page).with_context(|| format!("writing {INDEX}"))?;
    } else {
        let kept = read(root, INDEX).unwrap_or_default();
        if let Some(differences) = page::differences(&kept, &page) {
            bail!("{INDEX} is not what the source has:\n{differences}\n`cargo xtask unsafe-index --bless` writes it anew; look at what that changes");
        }
    }
    let total: usize = sites.values().map(Vec::len).sum();
    step(format!(
        "{total} pieces of unsafe code in {} files, each with its argument; {} invariants",
        sites.len(),
        invariants.len()
    ));
    Ok(())
}

/// What is wrong with a site by itself.
fn complaint(site: &Site, invariants: &[(String, String)]) -> Option<String> {
    let what = site.kind.what();
    if site.argument.is_empty() {
        return Some(format!(
            "{what} in `{}` has no {}",
            site.item,
            site.kind.wanted()
        ));
    }
    if site.reasons.is_empty() {
        return Some(format!(
            "{what} in `{}`: its SAFETY comment names no invariant of {ARGUMENT}, as in `// SAFETY: .. [SHUT]`",
            site.item
        ));
    }
    let known = |reason: &&String| !invariants.iter().any(|(name, _)| name == *reason);
    let unknown = site.reasons.iter().find(known)?;
    Some(format!(
        "{what} in `{}` rests on {unknown}, which {ARGUMENT} does not have",
        site.item
    ))
}

/// The sources that have to be argued for, as git knows them (new ones included).
fn sources(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(root).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
        "src",
        "platforms",
    ]);
    let listed = util::output(&mut git, Duration::from_secs(60))?;
    let mut files: Vec<String> = String::from_utf8(listed)?
        .split('\0')
        .filter(|file| file.ends_with(".rs") && !file.starts_with(RIVALS))
        // A file that is deleted is still known.
        .filter(|file| root.join(file).exists())
        .map(str::to_owned)
        .collect();
    files.sort();
    let of_tests: Vec<String> = files
        .iter()
        .filter_map(|file| tests_in(root, file))
        .flatten()
        .collect();
    files.retain(|file| !of_tests.contains(file));
    Ok(files)
}

/// The files that this one has for its tests alone: `#[cfg(test)] mod tests;`.
fn tests_in(root: &Path, file: &str) -> Option<Vec<String>> {
    let text = read(root, file).ok()?;
    let folder = match file
        .strip_suffix("/lib.rs")
        .or(file.strip_suffix("/main.rs"))
    {
        Some(folder) => folder,
        None => file.strip_suffix(".rs")?,
    };
    let modules = scan::test_modules(&text).ok()?;
    Some(
        modules
            .iter()
            .map(|name| format!("{folder}/{name}.rs"))
            .collect(),
    )
}

fn read(root: &Path, file: &str) -> Result<String> {
    fs::read_to_string(root.join(file)).with_context(|| format!("reading {file}"))
}
