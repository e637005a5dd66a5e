//! `cargo xtask mutants`: small changes of `src/`, one at a time, and which of them no test notices.
//!
//! cargo-mutants lists the changes, and could also try them: it builds the tests anew for each, some 2,000 times. That takes most of a day; so nearly all are built
//! at once here, each behind a switch (`switch`), and a program is run only if it comes by the mutant (`trial`). What cannot be
//! switched, in a `const fn` say, is left to cargo-mutants itself.
//!
//! Survivors are known, with the reason, in `tests/MUTANTS.md`; any other fails the command. Results stay in the build's folder: those that were caught are not tried
//! again, also if their file has changed; `--fresh` forgets them. A test that does not end in time has noticed, too; on a busy machine some only seem to: `--hung`
//! tries them again. `--loom` only has the models try those that have survived so far; `--report` tries none, and tells what is known. One run at a time: they share a copy of the tree.

mod by_itself;
mod known;
mod list;
mod switch;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use crate::guards::copy::{Build, Workshop};
use crate::install;
use crate::util::{self, step};

use known::{Outcome, Results};
use list::{plain, Mutant};

const USAGE: &str =
    "usage: cargo xtask mutants [part of a path] [--hung] [--fresh] [--loom] [--report]";
/// The newest that is known to list what is understood here.
const VERSION: &str = "27.1.0";
const EXPLAINED: &str = "tests/MUTANTS.md";
pub fn run(args: &[String]) -> Result<()> {
    let (mut part, mut fresh, mut hung, mut loom, mut report) = ("", false, false, false, false);
    for arg in args {
        match arg.as_str() {
            "--fresh" => fresh = true,
            "--hung" => hung = true,
            "--loom" => loom = true,
            "--report" => report = true,
            word if !word.starts_with('-') && part.is_empty() => part = word,
            _ => bail!(USAGE),
        }
    }
    install::cargo("mutants", VERSION)?;
    let workshop = Workshop::set_up("mutants")?;
    let home = util::target_dir()?.join("mutants");
    let all = listed(&workshop)?;
    let chosen: Vec<Mutant> = all
        .iter()
        .filter(|mutant| mutant.file.contains(part))
        .cloned()
        .collect();
    ensure!(
        !chosen.is_empty(),
        "no file with mutants has `{part}` in its path"
    );
    step(format!("{} mutants, of {}", chosen.len(), all.len()));

    let path = home.join("results.txt");
    if fresh && path.exists() {
        fs::remove_file(&path)?;
    }
    let mut results = Results::open(&path)?;
    step(format!(
        "results so far, and from here on, are in {}",
        path.display()
    ));
    if report {
        return conclude(&all, &chosen, &results, part);
    }
    let decided = |results: &Results, mutant: &Mutant| match results.all.get(&mutant.key) {
        None => false,
        Some((outcome, _)) => !outcome.survives() && (!hung || *outcome != Outcome::Hung),
    };

    let mut left: Vec<Mutant> = chosen
        .iter()
        .filter(|mutant| !decided(&results, mutant))
        .cloned()
        .collect();
    // What soundness rests on comes first; the platforms need not all be tried in one run.
    left.sort_by_key(|mutant| mutant.file.starts_with("src/platform"));
    let mut by_itself = Vec::new();
    left.retain(|mutant| {
        let switched = !by_itself::needs_features(mutant)
            && fs::read_to_string(workshop.tree.join(&mutant.file))
                .is_ok_and(|text| switch::can_be_switched(&text, mutant));
        if !switched {
            by_itself.push(mutant.clone());
        }
        switched
    });
    let count = all.len();
    for build in Build::ALL {
        if loom && build != Build::Loom {
            continue;
        }
        if build != Build::Std {
            // Those that have survived all before.
            left.retain(|mutant| results.all.contains_key(&mutant.key));
        }
        pass(&workshop, build, &left, count, &mut results).with_context(|| format!("{build:?}"))?;
        // What hangs now has been tried again.
        left.retain(|mutant| {
            let result = results.all.get(&mutant.key);
            result.is_none_or(|(outcome, _)| outcome.survives())
        });
    }
    if !loom {
        workshop.copy_tree()?;
        by_itself::try_all(&workshop, &home, &by_itself, &mut results)?;
    }
    conclude(&all, &chosen, &results, part)
}

fn listed(workshop: &Workshop) -> Result<Vec<Mutant>> {
    let mut list = workshop.cargo("std");
    list.args(["mutants", "--list", "--json"]);
    list::read(&util::output(&mut list, Duration::from_secs(60))?)
}

/// Tries those mutants that compile in one build: with `std`, without, with loom's types.
fn pass(
    workshop: &Workshop,
    build: Build,
    mutants: &[Mutant],
    count: usize,
    results: &mut Results,
) -> Result<()> {
    if mutants.is_empty() {
        return Ok(());
    }
    step(format!("== {build:?}: {} mutants", mutants.len()));
    workshop.copy_tree()?;
    let refused = switch::switch_all(&workshop.tree, mutants, || check(workshop, build))?;
    // In a later build, those that have compiled in an earlier one are missed.
    for mutant in mutants
        .iter()
        .filter(|mutant| refused.contains(&mutant.number))
    {
        if !matches!(results.all.get(&mutant.key), Some((Outcome::Missed, _))) {
            results.note(&mutant.key, Outcome::Unviable, "")?;
        }
    }
    let targets = targets(&workshop.tree, build)?;
    let programs = workshop.build(build, &targets.iter().map(String::as_str).collect())?;
    // A whole program of models takes too long.
    let mut units = trial::units(&programs, build == Build::Loom)?;
    step(format!("{} programs without a mutant", units.len()));
    trial::examine(&mut units, count, &workshop.output)?;

    let those: Vec<&Mutant> = mutants
        .iter()
        .filter(|mutant| !refused.contains(&mutant.number))
        .collect();
    let before: BTreeMap<String, Outcome> = results
        .all
        .iter()
        .map(|(name, (outcome, _))| (name.clone(), *outcome))
        .collect();
    trial::try_all(
        &those,
        &units,
        &workshop.output,
        results,
        |mutant, reached| {
            let was = before.get(&mutant.key).copied();
            match (build, reached) {
                (Build::Std, false) => Some(Outcome::Unreached),
                (_, true) if was != Some(Outcome::Missed) || build == Build::Std => {
                    Some(Outcome::Missed)
                }
                _ => None,
            }
        },
    )
}

/// Compiles the library alone, with its own tests.
fn check(workshop: &Workshop, build: Build) -> Command {
    let mut cargo = workshop.cargo(&format!("{build:?}").to_lowercase());
    cargo.args([
        "check",
        "--quiet",
        "--package=driver-scope",
        "--lib",
        "--profile=test",
        "--message-format=json",
    ]);
    cargo.env("RUSTFLAGS", "-Awarnings");
    match build {
        Build::Std => {}
        Build::NoStd => {
            cargo.arg("--no-default-features");
        }
        Build::Loom => {
            cargo.env("RUSTFLAGS", "-Awarnings --cfg loom");
        }
    }
    cargo
}

/// The test programs of a build.
fn targets(tree: &Path, build: Build) -> Result<BTreeSet<String>> {
    Ok(match build {
        Build::NoStd => BTreeSet::from(["unwinding".to_owned()]),
        Build::Loom => BTreeSet::from(["lib".to_owned(), "loom".to_owned()]),
        Build::Std => {
            let mut targets = BTreeSet::from(["lib".to_owned()]);
            for entry in fs::read_dir(tree.join("tests"))? {
                let path = entry?.path();
                let name = path.file_stem().and_then(|stem| stem.to_str());
                // That one needs features.
                if let Some(name) = name.filter(|name| *name != "safe_mmio") {
                    if path.extension().is_some_and(|extension| extension == "rs") {
                        targets.insert(name.to_owned());
                    }
                }
            }
            targets
        }
    })
}

fn conclude(all: &[Mutant], chosen: &[Mutant], results: &Results, part: &str) -> Result<()> {
    let mut table: BTreeMap<&str, BTreeMap<Outcome, usize>> = BTreeMap::new();
    let mut survivors: BTreeMap<String, usize> = BTreeMap::new();
    let mut untried = 0;
    for mutant in chosen {
        let Some((outcome, _)) = results.all.get(&mutant.key) else {
            untried += 1;
            continue;
        };
        for line in [mutant.file.as_str(), "all"] {
            *table.entry(line).or_default().entry(*outcome).or_default() += 1;
        }
        if outcome.survives() {
            *survivors.entry(plain(&mutant.name)).or_default() += 1;
        }
    }
    println!("\n  {:<36} caught   hung unviable missed unreached", "");
    for (file, counts) in &table {
        let count = |outcome| counts.get(&outcome).copied().unwrap_or(0);
        println!(
            "  {file:<36} {:>6} {:>6} {:>8} {:>6} {:>9}",
            count(Outcome::Caught),
            count(Outcome::Hung),
            count(Outcome::Unviable),
            count(Outcome::Missed),
            count(Outcome::Unreached)
        );
    }
    println!();
    let mut exist: BTreeMap<String, usize> = BTreeMap::new();
    for mutant in all {
        *exist.entry(plain(&mutant.name)).or_default() += 1;
    }
    let mut explained = known::read_explained(&fs::read_to_string(util::root().join(EXPLAINED))?)
        .context(EXPLAINED)?;
    explained.retain(|name, _| {
        name.split(':')
            .next()
            .is_some_and(|file| file.contains(part))
    });
    let wrong = known::compare(&survivors, &explained, &exist);
    for line in &wrong {
        println!("  {line}");
    }
    ensure!(untried == 0, "{untried} mutants were not tried");
    ensure!(
        wrong.is_empty(),
        "{} lines of {EXPLAINED} are missing or wrong",
        wrong.len()
    );
    println!("each mutant is noticed by a test, or explained in {EXPLAINED}");
    Ok(())
}
