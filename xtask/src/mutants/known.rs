//! What is known: the mutants that survive and why, which a file of the tree tells; and the results so far, which stay beside the build.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::{fmt, fs};

use anyhow::{bail, ensure, Context, Result};

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// A test failed.
    Caught,
    /// A test did not end in time.
    Hung,
    /// It does not compile.
    Unviable,
    /// Every test that comes by passed.
    Missed,
    /// No test comes by.
    Unreached,
}

impl Outcome {
    const ALL: [(Outcome, &'static str); 5] = [
        (Outcome::Caught, "caught"),
        (Outcome::Hung, "hung"),
        (Outcome::Unviable, "unviable"),
        (Outcome::Missed, "missed"),
        (Outcome::Unreached, "unreached"),
    ];

    pub(super) fn survives(self) -> bool {
        matches!(self, Outcome::Missed | Outcome::Unreached)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Outcome::ALL.iter().find(|(outcome, _)| outcome == self);
        f.pad(name.map_or("", |(_, name)| *name))
    }
}

/// The results so far, by the mutants' keys: a line each, appended as they come, so that a run that is interrupted
/// goes on where it was.
pub(super) struct Results {
    pub(super) all: BTreeMap<String, (Outcome, String)>,
    file: File,
}

impl Results {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.with_context(|| path.display().to_string())?,
        };
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Results {
            all: read_results(&text),
            file,
        })
    }

    /// `by` is the test that notices it, or what else there is to say.
    pub(super) fn note(&mut self, name: &str, outcome: Outcome, by: &str) -> Result<()> {
        writeln!(self.file, "{outcome}\t{name}\t{by}")?;
        self.all.insert(name.to_owned(), (outcome, by.to_owned()));
        Ok(())
    }
}

/// The last line of a mutant counts. A line that is not whole is one that was being written when the run ended.
pub(super) fn read_results(text: &str) -> BTreeMap<String, (Outcome, String)> {
    let results = text.lines().filter_map(|line| {
        let [outcome, name, by] = line.split('\t').collect::<Vec<_>>()[..] else {
            return None;
        };
        let (outcome, _) = Outcome::ALL
            .into_iter()
            .find(|(_, name)| *name == outcome)?;
        Some((name.to_owned(), (outcome, by.to_owned())))
    });
    results.collect()
}

/// Reads the list of those that survive: items of the form ``- `src/a.rs: replace + with - in f` ``, each under a heading with a text that says why.
/// Several mutants may have one name: then it is there as often.
pub(super) fn read_explained(text: &str) -> Result<BTreeMap<String, usize>> {
    let mut explained = BTreeMap::new();
    let (mut section, mut reason) = (false, false);
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("## ") {
            (section, reason) = (true, false);
        } else if let Some(item) = line.strip_prefix("- `src/") {
            ensure!(
                section && reason,
                "line {number}: nothing says why these survive"
            );
            let Some((name, times)) = item.rsplit_once('`') else {
                bail!("line {number}: no end of the name");
            };
            let times = match times.trim().strip_prefix('×') {
                Some(times) => times.parse().with_context(|| format!("line {number}"))?,
                None if times.is_empty() => 1,
                None => bail!("line {number}: after a name comes nothing, or how many have it: ×2"),
            };
            let name = format!("src/{name}");
            ensure!(
                explained.insert(name, times).is_none(),
                "line {number}: it is there already"
            );
        } else if !line.trim().is_empty() {
            reason |= section;
        }
    }
    Ok(explained)
}

/// Compares the survivors with the list. Of both, plain names.
pub(super) fn compare(
    survivors: &BTreeMap<String, usize>,
    explained: &BTreeMap<String, usize>,
    exist: &BTreeMap<String, usize>,
) -> Vec<String> {
    let of = |names: &BTreeMap<String, usize>, name: &str| names.get(name).copied().unwrap_or(0);
    let mut wrong = Vec::new();
    for (name, &count) in survivors {
        let known = of(explained, name);
        if count > known {
            wrong.push(format!(
                "survives, {count} of it, and {known} are explained: {name}"
            ));
        }
    }
    for (name, &known) in explained {
        let (there, count) = (of(exist, name), of(survivors, name));
        if there < known {
            wrong.push(format!(
                "explained, {known} of it, and {there} exist: {name}"
            ));
        } else if count < known {
            wrong.push(format!(
                "explained, {known} of it, and {count} survive: {name}"
            ));
        }
    }
    wrong
}
