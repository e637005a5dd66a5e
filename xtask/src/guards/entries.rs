//! What the documents say: the guards, how each is taken away, and who notices.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::ops::Range;

use anyhow::{bail, ensure, Context, Result};

use crate::util;

/// Where the entries are.
pub(super) const DOCUMENTS: [&str; 2] = ["tests/GUARDS.md", "tests/loom/README.md"];

/// A guard, how it is taken away, and who notices.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    /// The file that tells of it.
    pub(super) document: &'static str,
    pub(super) edits: Vec<Edit>,
    /// Empty if the document says that it is redundant.
    pub(super) tests: Vec<Test>,
}

/// A change of one file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) path: String,
    pub(super) hunks: Vec<Hunk>,
}

/// Whole lines, each with its end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hunk {
    pub(super) old: String,
    pub(super) new: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Test {
    pub(super) suite: Suite,
    pub(super) name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Suite {
    /// A loom model, of `tests/loom` or of the library.
    Loom,
    /// A program of `ui-tests`, which the compiler must refuse.
    Ui,
    /// A check of `platforms/bare-metal`, of the run in which the device is pulled out if it begins with `SURPRISE`.
    Bare,
    /// A file of `tests/`, `lib`, or `NO_STD`.
    Program(String),
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.suite {
            Suite::Loom => write!(f, "{}", self.name),
            Suite::Ui => write!(f, "ui: {}", self.name),
            Suite::Bare => write!(f, "bare: {}", self.name),
            Suite::Program(program) => write!(f, "{program}: {}", self.name),
        }
    }
}

/// As an entry names it: `program: test`, `ui: program`, `bare: check`, or the bare name of a model.
pub(super) fn test(item: &str) -> Test {
    let (suite, name) = match item.split_once(": ") {
        None => (Suite::Loom, item),
        Some(("ui", name)) => (Suite::Ui, name),
        Some(("bare", name)) => (Suite::Bare, name),
        Some((program, name)) => (Suite::Program(program.to_owned()), name),
    };
    Test {
        suite,
        name: name.trim().to_owned(),
    }
}

pub(super) fn load() -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(util::root().join(document)).context(document)?;
        entries.extend(parse(document, &text)?);
    }
    let mut ids = BTreeSet::new();
    for entry in &entries {
        ensure!(ids.insert(&entry.id), "two guards are called {}", entry.id);
    }
    Ok(entries)
}

pub(super) fn parse(document: &'static str, text: &str) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut section: Option<(String, Vec<&str>)> = None;
    let mut finish = |section: Option<(String, Vec<&str>)>| -> Result<()> {
        if let Some((id, lines)) = section {
            let entry = parse_entry(document, &id, &lines)
                .with_context(|| format!("{document}, the entry {id}"))?;
            entries.push(entry);
        }
        Ok(())
    };
    for line in text.lines() {
        // A line of a diff begins with a space, `+`, `-` or `@`, so none of these is one.
        if let Some(id) = line.strip_prefix("### ") {
            finish(section.replace((id.trim().to_owned(), Vec::new())))?;
        } else if line.starts_with("# ") || line.starts_with("## ") {
            finish(section.take())?;
        } else if let Some((_, lines)) = &mut section {
            lines.push(line);
        }
    }
    finish(section)?;
    Ok(entries)
}

pub(super) fn parse_entry(document: &'static str, id: &str, lines: &[&str]) -> Result<Entry> {
    ensure!(
        !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
        "an id is of letters, digits and `-`"
    );
    let (mut edits, mut tests) = (Vec::new(), Vec::new());
    let mut path = None;
    let mut redundant = false;
    let mut listing = false;
    let mut lines = lines.iter();
    while let Some(line) = lines.next() {
        if *line == "```diff" {
            // Each diff has its file named before it.
            let path: String = path.take().context("no file is named before its diff")?;
            let mut block = Vec::new();
            loop {
                match lines.next() {
                    Some(&"```") => break,
                    Some(line) => block.push(*line),
                    None => bail!("the diff does not end"),
                }
            }
            let hunks = parse_diff(&block).with_context(|| format!("the diff of {path}"))?;
            edits.push(Edit { path, hunks });
        } else if let Some(item) = line.strip_prefix("- ").filter(|_| listing) {
            let (name, _) = item
                .strip_prefix('`')
                .and_then(|item| item.split_once('`'))
                .with_context(|| format!("no `test` in `{line}`"))?;
            tests.push(test(name));
        } else if *line == "Fails:" {
            listing = true;
        } else if line.starts_with("Not detected:") {
            redundant = true;
        } else if !line.is_empty() {
            listing = false;
            path = path.or_else(|| file_named_in(line));
        }
    }
    ensure!(!edits.is_empty(), "no diff");
    ensure!(
        tests.is_empty() == redundant,
        "either a list `Fails:` or a reason `Not detected:`"
    );
    Ok(Entry {
        id: id.to_owned(),
        document,
        edits,
        tests,
    })
}

/// The first path between backticks.
pub(super) fn file_named_in(line: &str) -> Option<String> {
    let mut quoted = line.split('`').skip(1).step_by(2);
    quoted
        .find(|word| word.contains('/') && !word.contains(' '))
        .map(str::to_owned)
}

pub(super) fn parse_diff(lines: &[&str]) -> Result<Vec<Hunk>> {
    let mut hunks = Vec::new();
    for lines in lines.split(|line| *line == "@@") {
        let mut hunk = Hunk::default();
        for line in lines {
            // An editor may have taken the one space of an empty line.
            let (mark, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
            let (in_old, in_new) = match mark {
                " " => (true, true),
                "-" => (true, false),
                "+" => (false, true),
                _ => bail!("`{line}` begins with neither ` `, `-` nor `+`"),
            };
            for (text, wanted) in [(&mut hunk.old, in_old), (&mut hunk.new, in_new)] {
                if wanted {
                    text.push_str(rest);
                    text.push('\n');
                }
            }
        }
        ensure!(!hunk.old.is_empty(), "a hunk without old text has no place");
        ensure!(hunk.old != hunk.new, "a hunk changes nothing");
        hunks.push(hunk);
    }
    Ok(hunks)
}

/// The text with all hunks applied. The old text of each must be there once, as whole lines.
pub(super) fn apply(text: &str, hunks: &[Hunk]) -> Result<String> {
    let mut places: Vec<(Range<usize>, &Hunk)> = Vec::new();
    for hunk in hunks {
        let starts = text
            .match_indices('\n')
            .map(|(end, _)| end + 1)
            .chain([0])
            .filter(|start| text[*start..].starts_with(&hunk.old));
        match *starts.collect::<Vec<_>>() {
            [start] => places.push((start..start + hunk.old.len(), hunk)),
            [] => bail!("the old text is not there:\n{}", hunk.old),
            _ => bail!("the old text is there more than once:\n{}", hunk.old),
        }
    }
    places.sort_by_key(|(range, _)| range.start);
    let mut new = String::new();
    let mut at = 0;
    for (range, hunk) in places {
        ensure!(range.start >= at, "two hunks overlap");
        new.push_str(&text[at..range.start]);
        new.push_str(&hunk.new);
        at = range.end;
    }
    new.push_str(&text[at..]);
    Ok(new)
}
