//! The page of the guide about the compiler's messages keeps up with them: what it quotes is said, and it has every message that is this crate's own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The page.
const PAGE: &str = include_str!("../../src/guide/messages.md");

/// Messages without the names in them, each with the codes that it comes with.
type Messages = BTreeMap<String, BTreeSet<Option<String>>>;

#[test]
fn what_the_guide_quotes_is_said() {
    let (said, own) = (said(), own());
    let wrong: Vec<_> = quoted()
        .into_iter()
        .filter(|(message, code)| match (said.get(message), code) {
            (Some(codes), Some(_)) => !codes.contains(code),
            (Some(_), None) => false,
            (None, _) => !own.contains(message),
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "nowhere in ui-tests/, or not by that code: {wrong:#?}"
    );
}

#[test]
fn the_guide_has_every_message_of_the_crate() {
    let quoted: BTreeSet<_> = quoted().into_iter().map(|(message, _)| message).collect();
    let missing: Vec<_> = own()
        .into_iter()
        .filter(|own| !quoted.contains(own))
        .collect();
    assert!(
        missing.is_empty(),
        "not in src/guide/messages.md: {missing:#?}"
    );
}

/// What the page quotes, by headings and in the first columns of tables; of a heading, with the code that stands below.
fn quoted() -> Vec<(String, Option<String>)> {
    let mut quoted = Vec::new();
    let mut lines = PAGE.lines().filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            let message = heading.split(" — ").next().unwrap_or(heading);
            let code = lines.peek().and_then(|below| below.strip_prefix("`E"));
            let code = code
                .and_then(|code| code.get(..4))
                .map(|code| format!("E{code}"));
            quoted.push((anonymous(message), code));
        } else if let Some(row) = line.strip_prefix("| ") {
            let message = row.split(" | ").next().unwrap_or(row);
            if !message.starts_with('|') {
                quoted.push((anonymous(message), None));
            }
        }
    }
    assert!(
        quoted.len() > 60,
        "the page is not read as it is written: {quoted:#?}"
    );
    quoted
}

/// What the compiler says to the programs of `ui-tests/`.
fn said() -> Messages {
    let mut said = Messages::new();
    for file in files(Path::new(env!("CARGO_MANIFEST_DIR")), "stderr") {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let Some(rest) = line.strip_prefix("error") else {
                continue;
            };
            let Some((code, message)) = rest.split_once(": ") else {
                continue;
            };
            let code = code
                .strip_prefix('[')
                .and_then(|code| code.strip_suffix(']'));
            let codes = said.entry(anonymous(message)).or_default();
            codes.insert(code.map(str::to_owned));
        }
    }
    said
}

/// The messages that the crate has the compiler say: `#[diagnostic::on_unimplemented(message = "..")]`.
fn own() -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let own: BTreeSet<_> = files(&source, "rs")
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap();
            let messages = text.lines().filter_map(|line| {
                let message = line.trim().strip_prefix("message = \"")?;
                Some(anonymous(
                    message.strip_suffix("\",").expect("a message is a line"),
                ))
            });
            messages.collect::<Vec<_>>()
        })
        .collect();
    assert!(
        own.len() > 30,
        "the sources are not read as they are written: {own:#?}"
    );
    own
}

/// A message with all that is in backticks left out: names of the program, or of a parameter.
fn anonymous(message: &str) -> String {
    let (mut outside, mut result) = (true, String::new());
    for part in message.trim().split('`') {
        result.push_str(if outside { part } else { "_" });
        outside = !outside;
    }
    result
}

/// The files that end so, in a folder and below; without what is built there.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            files.extend(self::files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files
}
