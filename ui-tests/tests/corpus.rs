//! What `README.md` says of the programs is so, and each program says what it tries; those that were written as attacks, why they are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The list of areas, and of what is known of attacks.
const README: &str = include_str!("../README.md");

/// The areas whose programs say which words of the message are the reason that they are to be refused for. (Any other may.)
const ATTACKS: [&str; 14] = [
    "any", "assoc", "capture", "derive", "dynamic", "futures", "iterate", "leak", "macros",
    "smuggle", "statics", "threads", "unwind", "variance",
];

#[test]
fn each_program_says_what_it_tries() {
    let mut silent = programs();
    silent.retain(|(_, program)| {
        let text = fs::read_to_string(program).unwrap();
        !text.starts_with("// ") && !text.starts_with("//! ")
    });
    assert!(silent.is_empty(), "no comment at the top: {silent:#?}");
}

#[test]
fn each_attack_is_refused_for_the_right_reason() {
    let mut wrong = Vec::new();
    for (area, program) in programs() {
        let text = fs::read_to_string(&program).unwrap();
        let reason = text
            .lines()
            .find_map(|line| line.strip_prefix("// Refused: "));
        let Some(reason) = reason else {
            if ATTACKS.contains(&area.as_str()) {
                wrong.push(format!("{} says no reason", program.display()));
            }
            continue;
        };
        let message = fs::read_to_string(program.with_extension("stderr")).unwrap();
        if !message.contains(reason) {
            wrong.push(format!(
                "{}: the message has not: {reason}",
                program.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_index_is_complete() {
    let mut counts = BTreeMap::new();
    for (area, _) in programs() {
        *counts.entry(area).or_insert(0) += 1;
    }
    let listed: BTreeMap<_, _> = README.lines().filter_map(row).collect();
    assert_eq!(
        listed, counts,
        "the areas in README.md, with their numbers of programs"
    );
    let total: usize = counts
        .iter()
        .filter(|(area, _)| !["accept", "rustc"].contains(&area.as_str()))
        .map(|(_, count)| count)
        .sum();
    let says = format!("{total} programs");
    assert!(README.contains(&says), "README.md does not say: {says}");
}

#[test]
fn the_programs_that_the_index_names_are_there() {
    let there: BTreeSet<_> = programs()
        .into_iter()
        .map(|(area, program)| format!("{area}/{}", program.file_stem().unwrap().to_string_lossy()))
        .collect();
    let areas: BTreeSet<_> = programs().into_iter().map(|(area, _)| area).collect();
    let mut named = 0;
    for name in README.split('`').skip(1).step_by(2) {
        let Some((area, program)) = name.split_once('/') else {
            continue;
        };
        if program.is_empty() || !areas.contains(area) {
            continue;
        }
        named += 1;
        let found = match name.strip_suffix('*') {
            Some(begin) => there.iter().any(|path| path.starts_with(begin)),
            None => there.contains(name),
        };
        assert!(found, "README.md names `{name}`, which is not there");
    }
    assert!(named > 50, "README.md is not read as it is written");
}

/// A row of the index: the area, and how many programs are there.
fn row(line: &str) -> Option<(String, usize)> {
    let (area, rest) = line.strip_prefix("| [`")?.split_once("`]")?;
    let count = rest.split(" | ").nth(1)?.trim().parse().ok()?;
    Some((area.to_owned(), count))
}

/// All programs, each with its area.
fn programs() -> Vec<(String, PathBuf)> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut programs = Vec::new();
    for area in files_in(home).into_iter().filter(|path| path.is_dir()) {
        let name = area.file_name().unwrap().to_string_lossy().into_owned();
        if ["src", "tests", "wip", "target"].contains(&name.as_str()) {
            continue;
        }
        let files = files_in(&area).into_iter();
        let rust = files.filter(|file| file.extension().is_some_and(|found| found == "rs"));
        programs.extend(rust.map(|file| (name.clone(), file)));
    }
    programs.sort();
    programs
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}
