//! The mutants, as cargo-mutants lists them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

/// A place in a file: line and column, both from one.
pub(super) type Place = (usize, usize);

/// A small change of the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mutant {
    /// From one on, in the order of the list.
    pub(super) number: u32,
    /// With the place: `src/a.rs:1:2: replace + with - in f`.
    pub(super) name: String,
    /// The name without the place, which changes with every line that is put in before it; and the how manieth of this name it is, from one on.
    pub(super) key: String,
    pub(super) file: String,
    /// What is replaced.
    pub(super) span: (Place, Place),
    pub(super) replacement: String,
    /// The function that it is in.
    pub(super) function: Option<(Place, Place)>,
}

/// Reads what `cargo mutants --list --json` prints.
pub(super) fn read(json: &[u8]) -> Result<Vec<Mutant>> {
    let all: Vec<Value> = serde_json::from_slice(json).context("the list is no JSON array")?;
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mutants = all.iter().zip(1..).map(|(value, number)| {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let mut mutant = || {
            let name = text("name")?;
            let count = names.entry(plain(&name)).or_default();
            *count += 1;
            Some(Mutant {
                number,
                key: format!("{} #{count}", plain(&name)),
                name,
                file: text("file")?,
                span: span(&value["span"])?,
                replacement: text("replacement")?,
                function: span(&value["function"]["span"]),
            })
        };
        mutant().with_context(|| format!("the list has a mutant of another form: {value}"))
    });
    mutants.collect()
}

fn span(value: &Value) -> Option<(Place, Place)> {
    let number = |place: &Value, key: &str| usize::try_from(place[key].as_u64()?).ok();
    let place = |place: &Value| Some((number(place, "line")?, number(place, "column")?));
    Some((place(&value["start"])?, place(&value["end"])?))
}

/// The name without the place: `src/a.rs: replace + with - in f`.
pub(super) fn plain(name: &str) -> String {
    let mut parts = name.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(line), Some(column), Some(what))
            if line.parse::<u32>().is_ok() && column.parse::<u32>().is_ok() =>
        {
            format!("{file}:{what}")
        }
        _ => name.to_owned(),
    }
}
