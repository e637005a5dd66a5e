//! The index as a page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::scan::{Kind, Site};
use super::Sites;

const HEAD: &str = "\
# The unsafe code, piece by piece

<!-- Made by `cargo xtask unsafe-index --bless`. `cargo xtask test` compares it with the source. -->

Every `unsafe` block, `impl`, `fn`, `trait` and attribute, and every block of foreign functions or of assembly, of the crate (`src/`) and of the platforms beside it (`platforms/`), with the invariants
of [soundness.md](soundness.md) that it rests on and the first sentence of its `// SAFETY:` comment; the rest of that is in the source. What is there for tests only is left out, and so are
the drivers in `platforms/linux-kernel/rivals`, which ours are compared with. `drivers/` has none.

An `unsafe fn` rests on CALLER, an `unsafe trait` on PROMISE: what they ask for is in their documentation, and whoever calls or implements them has a line of his own.
Lines of one function that are the same are one, with their number.
";

/// Whether any site rests on an invariant.
pub fn uses(sites: &Sites, invariant: &str) -> bool {
    sites
        .values()
        .flatten()
        .any(|site| site.reasons.iter().any(|reason| reason == invariant))
}

pub fn page(sites: &Sites, invariants: &[(String, String)]) -> String {
    let mut page = HEAD.to_owned();
    totals(&mut page, sites);
    backwards(&mut page, sites, invariants);
    for (file, sites) in sites {
        let _ = write!(
            page,
            "\n## `{file}`\n\n| in | what | rests on | since |\n|---|---|---|---|\n"
        );
        for (row, count) in rows(sites) {
            let count = match count {
                1 => String::new(),
                count => format!(" ({count})"),
            };
            let [item, what, reasons, argument] = row;
            let _ = writeln!(
                page,
                "| `{item}` | {what}{count} | {reasons} | {argument} |"
            );
        }
    }
    page
}

/// How many there are, by kind and by what they are part of.
fn totals(page: &mut String, sites: &Sites) {
    let mut parts: BTreeMap<String, BTreeMap<Kind, usize>> = BTreeMap::new();
    for (file, sites) in sites {
        let counts = parts.entry(part(file)).or_default();
        for site in sites {
            *counts.entry(site.kind).or_default() += 1;
        }
    }
    page.push_str("\n## How many\n\n| |");
    for kind in Kind::ALL {
        let _ = write!(page, " {} |", kind.what());
    }
    page.push_str(" all |\n|---|");
    page.push_str(&"---|".repeat(Kind::ALL.len() + 1));
    page.push('\n');
    let mut sum = BTreeMap::new();
    for (part, counts) in &parts {
        for (kind, count) in counts {
            *sum.entry(*kind).or_default() += count;
        }
        row_of_counts(page, &format!("`{part}`"), counts);
    }
    row_of_counts(page, "all", &sum);
}

fn row_of_counts(page: &mut String, name: &str, counts: &BTreeMap<Kind, usize>) {
    let _ = write!(page, "| {name} |");
    for kind in Kind::ALL {
        let _ = write!(page, " {} |", counts.get(&kind).copied().unwrap_or(0));
    }
    let _ = writeln!(page, " {} |", counts.values().sum::<usize>());
}

/// The folder that a file counts with: that of a platform, or one of the crate's modules.
fn part(file: &str) -> String {
    let parts: Vec<&str> = file.split('/').collect();
    match parts[..] {
        ["src", module, _, ..] => format!("src/{module}"),
        ["src", file] => format!("src/{}", file.trim_end_matches(".rs")),
        [folder, part, ..] => format!("{folder}/{part}"),
        _ => file.to_owned(),
    }
}

/// From an invariant to those who need it.
fn backwards(page: &mut String, sites: &Sites, invariants: &[(String, String)]) {
    page.push_str("\n## By invariant\n\n| | says | pieces | in |\n|---|---|---|---|\n");
    for (name, says) in invariants {
        let mut count = 0;
        let mut files = BTreeSet::new();
        for (file, sites) in sites {
            let here = sites
                .iter()
                .filter(|site| site.reasons.contains(name))
                .count();
            if here > 0 {
                count += here;
                files.insert(file);
            }
        }
        let files = match files.len() {
            0..=6 => files
                .iter()
                .map(|file| format!("`{file}`"))
                .collect::<Vec<_>>()
                .join(", "),
            many => format!("{many} files"),
        };
        let _ = writeln!(page, "| {name} | {says} | {count} | {files} |");
    }
}

/// The lines of a file, each with how often it is there.
fn rows(sites: &[Site]) -> Vec<([String; 4], usize)> {
    let mut rows: Vec<([String; 4], usize)> = Vec::new();
    for site in sites {
        let row = [
            site.item.clone(),
            site.kind.what().to_owned(),
            site.reasons.join(", "),
            site.argument.replace('|', "\\|"),
        ];
        match rows.iter_mut().find(|(known, _)| *known == row) {
            Some((_, count)) => *count += 1,
            None => rows.push((row, 1)),
        }
    }
    rows
}

/// Which lines differ: those that only the first text has, then those that only the second one has, or that there are in another order.
pub fn differences(kept: &str, found: &str) -> Option<String> {
    const MOST: usize = 20;
    if kept == found {
        return None;
    }
    let without = |text: &str, other: &str, sign: char| {
        // With the file that a line is of, since many are alike.
        let mut heading = String::new();
        let mut known: BTreeMap<(String, String), usize> = BTreeMap::new();
        for line in other.lines() {
            if line.starts_with("## ") {
                line.clone_into(&mut heading);
            }
            *known.entry((heading.clone(), line.to_owned())).or_default() += 1;
        }
        heading.clear();
        let mut told: Vec<String> = Vec::new();
        for line in text.lines() {
            if line.starts_with("## ") {
                line.clone_into(&mut heading);
            }
            match known.get_mut(&(heading.clone(), line.to_owned())) {
                Some(count) if *count > 0 => *count -= 1,
                _ => told.push(format!(
                    "  {sign} {}: {line}",
                    heading.trim_start_matches("## ")
                )),
            }
        }
        told
    };
    let mut told = without(kept, found, '-');
    told.extend(without(found, kept, '+'));
    if told.is_empty() {
        told.push("  the same lines, in another order".to_owned());
    }
    let more = told.len().saturating_sub(MOST);
    told.truncate(MOST);
    if more > 0 {
        told.push(format!("  and {more} more"));
    }
    Some(told.join("\n"))
}
