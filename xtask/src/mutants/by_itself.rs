//! What cannot be switched is tried by cargo-mutants itself, which builds the tests for each: first those of the same part of the crate, then, with what they have missed,
//! all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{ensure, Result};

use super::known::{Outcome, Results};
use super::list::Mutant;
use crate::guards::copy::Workshop;
use crate::util::{self, step};

/// For all of one part.
const LIMIT: Duration = Duration::from_secs(4 * 3600);

/// What needs features that are off elsewhere, and how it is tested.
const FEATURES: (&[&str], &[&str]) = (
    &["src/mmio/safe_mmio.rs", "src/platform/machine_barriers.rs"],
    &[
        "--features=safe-mmio,barriers",
        "--",
        "--lib",
        "--test=safe_mmio",
        "--test=device_memory",
    ],
);

/// By the begin of a path, the tests that are likeliest to notice. The first that fits counts.
const NEAR: &[(&str, &[&str])] = &[
    ("src/mmio", &["--test=mmio"]),
    ("src/dma", &["--lib", "--test=dma"]),
    ("src/platform/dma", &["--test=dma"]),
    ("src/platform/device_memory", &["--test=device_memory"]),
    ("src/platform/fake", &["--test=fake"]),
    ("src/platform/threads", &["--test=sections"]),
    ("src/platform/sim", &["--test=at_once", "--test=timer"]),
    ("src/sections", &["--test=sections"]),
    ("src/ti", &["--lib", "--test=timer", "--test=clocks"]),
    ("src/", &["--lib", "--test=teardown"]),
];

pub(super) fn needs_features(mutant: &Mutant) -> bool {
    FEATURES.0.contains(&mutant.file.as_str())
}

/// The tests that are likeliest to notice.
pub(super) fn near(file: &str) -> &'static [&'static str] {
    let near = NEAR.iter().find(|(path, _)| file.starts_with(path));
    near.map_or(&["--lib"], |(_, tests)| tests)
}

pub(super) fn try_all(
    workshop: &Workshop,
    home: &Path,
    mutants: &[Mutant],
    results: &mut Results,
) -> Result<()> {
    let folder = home.join("by-itself");
    let all: Vec<&Mutant> = mutants.iter().collect();
    harvest(&folder, &all, results)?;
    let survives = |results: &Results, mutant: &Mutant| {
        let result = results.all.get(&mutant.key);
        result.is_none_or(|(outcome, _)| outcome.survives())
    };

    let mut parts: BTreeMap<&[&str], Vec<&Mutant>> = BTreeMap::new();
    for mutant in mutants.iter().filter(|mutant| survives(results, mutant)) {
        let args = if needs_features(mutant) {
            FEATURES.1
        } else {
            near(&mutant.file)
        };
        parts.entry(args).or_default().push(mutant);
    }
    for (tests, mutants) in parts {
        let separator = if tests == FEATURES.1 {
            None
        } else {
            Some("--")
        };
        let args: Vec<&str> = separator.into_iter().chain(tests.iter().copied()).collect();
        try_part(workshop, &folder, &mutants, &args, results)?;
    }
    let missed: Vec<&Mutant> = mutants
        .iter()
        .filter(|mutant| !needs_features(mutant))
        .filter(|mutant| survives(results, mutant))
        .collect();
    try_part(workshop, &folder, &missed, &["--", "--tests"], results)
}

fn try_part(
    workshop: &Workshop,
    folder: &Path,
    mutants: &[&Mutant],
    args: &[&str],
    results: &mut Results,
) -> Result<()> {
    if mutants.is_empty() {
        return Ok(());
    }
    step(format!(
        "== by cargo-mutants: {} mutants, {}",
        mutants.len(),
        args.join(" ")
    ));
    fs::create_dir_all(folder)?;
    let mut cargo = workshop.cargo("std");
    cargo
        // As in the other builds, so that nothing is built twice.
        .env("RUSTFLAGS", "-Awarnings")
        .args([
            "mutants",
            "--in-place",
            "--no-shuffle",
            "--colors=never",
            "--minimum-test-timeout=60",
            "--output",
        ])
        .arg(folder);
    for mutant in mutants {
        cargo.arg(format!("--re=^{}$", escaped(&mutant.name)));
    }
    cargo.args(args);
    // It fails if any survives.
    let ended = util::run(&mut cargo, LIMIT);
    let tried = harvest(folder, mutants, results)?.len();
    if tried < mutants.len() {
        ended?;
    }
    ensure!(
        tried == mutants.len(),
        "cargo-mutants has tried {tried} of {}",
        mutants.len()
    );
    Ok(())
}

/// Notes what the last run of cargo-mutants has found of these, which may have been interrupted; returns their numbers.
fn harvest(folder: &Path, mutants: &[&Mutant], results: &mut Results) -> Result<BTreeSet<u32>> {
    let mut tried = BTreeSet::new();
    for (file, outcome) in [
        ("caught", Outcome::Caught),
        ("timeout", Outcome::Hung),
        ("unviable", Outcome::Unviable),
        ("missed", Outcome::Missed),
    ] {
        let path = folder.join(format!("mutants.out/{file}.txt"));
        let names = fs::read_to_string(path).unwrap_or_default();
        for name in names.lines() {
            for mutant in mutants.iter().filter(|mutant| mutant.name == name) {
                results.note(&mutant.key, outcome, "cargo-mutants")?;
                tried.insert(mutant.number);
            }
        }
    }
    Ok(tried)
}

/// For a regular expression, to be taken as it is.
pub(super) fn escaped(name: &str) -> String {
    let mut escaped = String::new();
    for c in name.chars() {
        // `\<` and `\>` are the ends of a word.
        if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
