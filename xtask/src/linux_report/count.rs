//! What is in the files.

use std::fs;

use anyhow::{Context, Result};

use super::drivers::{Driver, DRIVERS};
use super::page;
use crate::util;

/// Words of statements that end something of the driver's.
const ENDS: [&str; 7] = [
    "cancel()",
    ".close()",
    ".stop()",
    ".complete_all()",
    ".wait_for_completion()",
    "*time_out = None;",
    "= wait_until_idle(",
];

type Count = fn(&Text) -> usize;

/// What is counted, with how.
const ROWS: [(&str, Count); 8] = [
    ("lines of code", |text| text.code.len()),
    ("`unsafe` blocks, functions and impls", |text| {
        text.words("unsafe")
    }),
    (
        "comments that carry an order of fields, or what must not be left out or forgotten",
        |text| {
            text.comments(&[
                "must stay",
                "must be after",
                "must not be",
                "is the order of teardown",
            ])
        },
    ),
    ("types with `Arc`, `KBox`, or `ARef`", |text| {
        ["Arc<", "KBox<", "ARef<"]
            .iter()
            .map(|word| text.occurrences(word))
            .sum()
    }),
    ("references that are counted (`clone`)", |text| {
        text.occurrences(".clone()")
    }),
    (
        "failure paths that cannot be taken (`CANNOT FAIL`)",
        |text| text.comments(&["cannot fail:"]),
    ),
    (
        "accesses that may find the device revoked (`try_access`)",
        |text| text.occurrences("try_access()"),
    ),
    (
        "statements that cancel, stop, close, or wait for an end",
        |text| ENDS.iter().map(|end| text.occurrences(end)).sum(),
    ),
];

/// All files of a driver, divided.
#[derive(Default)]
struct Text {
    /// Lines that are neither blank nor comment, without a comment at their end.
    code: Vec<String>,
    /// Comments, each in one piece, in lower case.
    comments: Vec<String>,
}

impl Text {
    fn of(driver: &Driver) -> Result<Self> {
        let mut text = Self::default();
        for file in driver.files()? {
            let source = fs::read_to_string(util::root().join(&file))
                .with_context(|| format!("reading {}", file.display()))?;
            text.add(&source);
        }
        Ok(text)
    }

    fn add(&mut self, source: &str) {
        let mut in_comment = false;
        for line in source.lines().map(str::trim) {
            if let Some(comment) = line.strip_prefix("//") {
                let comment = comment.trim_start_matches(['/', '!']).trim().to_lowercase();
                match self.comments.last_mut().filter(|_| in_comment) {
                    Some(last) => *last += &format!(" {comment}"),
                    None => self.comments.push(comment),
                }
                in_comment = true;
                continue;
            }
            in_comment = false;
            if !line.is_empty() {
                // No string in these files has two slashes.
                let code = line.split("//").next().unwrap_or_default().trim();
                self.code.push(code.to_owned());
            }
        }
    }

    /// Comments with any of these in it.
    fn comments(&self, words: &[&str]) -> usize {
        let has = |comment: &&String| words.iter().any(|word| comment.contains(word));
        self.comments.iter().filter(has).count()
    }

    fn occurrences(&self, what: &str) -> usize {
        self.code
            .iter()
            .map(|line| line.matches(what).count())
            .sum()
    }

    /// A whole word.
    fn words(&self, word: &str) -> usize {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let in_line = |line: &String| {
            line.split(|c| !is_part(c))
                .filter(|part| *part == word)
                .count()
        };
        self.code.iter().map(in_line).sum()
    }
}

pub fn table() -> Result<String> {
    let mut rows = vec![vec![String::new()]];
    rows.extend(ROWS.iter().map(|(name, _)| vec![(*name).to_owned()]));
    for driver in &DRIVERS {
        let text = Text::of(driver)?;
        rows[0].push(driver.title.to_owned());
        for (row, (_, count)) in rows[1..].iter_mut().zip(ROWS) {
            row.push(count(&text).to_string());
        }
    }
    Ok(page::table(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> Text {
        let mut text = Text::default();
        text.add(source);
        text
    }

    #[test]
    fn code_is_told_from_comments() {
        let text = text("//! Must stay\n//! here.\n\n/// Must not be\n/// forgotten.\nunsafe { x } // unsafe\nlet unsafely = 1;\n// a\nb\n");
        assert_eq!(text.code, ["unsafe { x }", "let unsafely = 1;", "b"]);
        assert_eq!(
            text.comments,
            ["must stay here.", "must not be forgotten.", "a"]
        );
        assert_eq!(text.words("unsafe"), 1);
        assert_eq!(text.comments(&["must stay", "must not be"]), 2);
        assert_eq!(text.occurrences("b"), 1);
    }

    #[test]
    fn the_page_has_the_counts_of_the_files() {
        let page = fs::read_to_string(util::root().join(super::super::PAGE)).unwrap();
        let table = table().unwrap();
        assert!(
            page.contains(&table),
            "`cargo xtask linux-report counts` was not run: {table}"
        );
    }
}
