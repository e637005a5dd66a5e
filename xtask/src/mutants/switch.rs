//! Many mutants in one build: each function that has some is there once for each, and asks which of them is on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;

use super::list::{Mutant, Place};
use crate::util::step;

/// What asks which mutant is on.
const INSERTED: &str = include_str!("inserted.rs");
/// The compiler tells the mistakes of one stage at a time: names, then types, then borrows.
const ROUNDS: usize = 20;

/// A file in which mutants can be switched on, and which of its lines are whose.
pub(super) struct Switched {
    pub(super) text: String,
    pub(super) lines: Vec<(Range<usize>, u32)>,
}

/// Whether the function of a mutant can be there more than once: no `const fn`, which could not ask, and not of a type without a name, of which each copy would
/// have its own.
pub(super) fn can_be_switched(text: &str, mutant: &Mutant) -> bool {
    let Some(function) = mutant.function else {
        return false;
    };
    function_of(text, function).is_some_and(|(signature, _)| {
        let signature = signature.split("where").next().unwrap_or_default();
        let returned = match arrow(signature) {
            Some(arrow) => &signature[arrow..],
            None => "",
        };
        !signature.contains("const fn") && !returned.contains("impl ")
    })
}

/// Puts these mutants of one file in.
pub(super) fn switch(text: &str, mutants: &[&Mutant]) -> Result<Switched> {
    // By the outermost function that has any.
    let mut functions: Vec<(Range<usize>, Vec<&Mutant>)> = Vec::new();
    let mut sorted = mutants.to_vec();
    sorted.sort_by_key(|mutant| {
        mutant
            .function
            .map(|(start, end)| (start, std::cmp::Reverse(end)))
    });
    for mutant in sorted {
        let (_, body) = mutant
            .function
            .and_then(|function| function_of(text, function))
            .with_context(|| format!("{}: no function", mutant.name))?;
        match functions.last_mut() {
            Some((outer, those)) if body.start < outer.end => those.push(mutant),
            _ => functions.push((body, vec![mutant])),
        }
    }
    let mut switched = Switched {
        text: String::new(),
        lines: Vec::new(),
    };
    let mut line = 1;
    let mut put = |part: &str, whose: Option<u32>| {
        let begin = line;
        line += part.matches('\n').count();
        switched.text.push_str(part);
        if let Some(number) = whose {
            switched.lines.push((begin..line + 1, number));
        }
    };
    let mut done = 0;
    for (body, mutants) in functions {
        put(&text[done..body.start], None);
        put("{\n", None);
        for mutant in mutants {
            let at = |place| offset(text, place).filter(|offset| body.contains(offset));
            let (start, end) = (at(mutant.span.0), at(mutant.span.1));
            let (Some(start), Some(end)) = (start, end) else {
                bail!("{}: not in its function", mutant.name);
            };
            put(
                &format!("if crate::mutation::on({})\n", mutant.number),
                None,
            );
            let changed = [
                &text[body.start..start],
                " ",
                &mutant.replacement,
                " ",
                &text[end..body.end],
            ]
            .concat();
            put(&changed, Some(mutant.number));
            put("\nelse\n", None);
        }
        put(&text[body.clone()], None);
        put("\n}", None);
        done = body.end;
    }
    put(&text[done..], None);
    Ok(switched)
}

/// Changes the copy so that as many of these mutants can be switched on as compile, and returns those that do not. `check` is to
/// compile the library, with messages in JSON.
pub(super) fn switch_all(
    tree: &Path,
    mutants: &[Mutant],
    check: impl Fn() -> Command,
) -> Result<BTreeSet<u32>> {
    let mut by_file: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
    for mutant in mutants {
        by_file.entry(&mutant.file).or_default().push(mutant);
    }
    let mut original = BTreeMap::new();
    for file in by_file.keys() {
        original.insert(
            *file,
            fs::read_to_string(tree.join(file)).with_context(|| (*file).to_owned())?,
        );
    }
    fs::write(tree.join("src/mutation.rs"), INSERTED)?;
    let lib = tree.join("src/lib.rs");
    // What the compiler itself can see to overflow, the tests shall.
    let text = fs::read_to_string(&lib)?.replace(
        "#![no_std]",
        "#![no_std]\n#![allow(arithmetic_overflow, unconditional_panic)]",
    );
    fs::write(&lib, text + "\nmod mutation;\n")?;

    let mut refused = BTreeSet::new();
    for round in 1..=ROUNDS {
        let mut lines = BTreeMap::new();
        for (file, mutants) in &by_file {
            let left: Vec<&Mutant> = mutants
                .iter()
                .copied()
                .filter(|mutant| !refused.contains(&mutant.number))
                .collect();
            let switched = switch(&original[file], &left)?;
            fs::write(tree.join(file), switched.text)?;
            lines.insert(*file, switched.lines);
        }
        let output = check()
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        if output.status.success() {
            step(format!(
                "{} mutants compile, {} do not",
                mutants.len() - refused.len(),
                refused.len()
            ));
            return Ok(refused);
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let before = refused.len();
        for (file, line) in mistakes(&said) {
            let whose = lines.get(file.as_str()).into_iter().flatten();
            refused.extend(
                whose
                    .filter(|(range, _)| range.contains(&line))
                    .map(|(_, number)| *number),
            );
        }
        ensure!(
            refused.len() > before,
            "it does not compile, by no mutant's fault:\n{}",
            rendered(&said)
        );
        step(format!(
            "round {round}: {} mutants do not compile",
            refused.len() - before
        ));
    }
    bail!("there is no end of mutants that do not compile");
}

/// Where the compiler's errors are.
pub(super) fn mistakes(said: &str) -> Vec<(String, usize)> {
    let errors = messages(said);
    let spans = errors
        .iter()
        .flat_map(|error| error["spans"].as_array().cloned().unwrap_or_default());
    let mut places = Vec::new();
    for span in spans.filter(|span| span["is_primary"] == true) {
        // In the library's macros, the place that is meant is where they are used.
        let mut span = &span;
        loop {
            if let (Some(file), Some(line)) =
                (span["file_name"].as_str(), span["line_start"].as_u64())
            {
                places.push((file.to_owned(), line as usize));
            }
            span = &span["expansion"]["span"];
            if span.is_null() {
                break;
            }
        }
    }
    places
}

fn rendered(said: &str) -> String {
    let rendered = |error: &Value| error["rendered"].as_str().map(str::to_owned);
    messages(said).iter().filter_map(rendered).collect()
}

fn messages(said: &str) -> Vec<Value> {
    let lines = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let messages = lines.map(|mut line| line["message"].take());
    messages
        .filter(|message| message["level"] == "error")
        .collect()
}

/// Of a function, what comes before its body, without attributes and comments, and where this is, with its braces.
fn function_of(text: &str, (start, end): (Place, Place)) -> Option<(&str, Range<usize>)> {
    let (mut start, end) = (offset(text, start)?, offset(text, end)?);
    loop {
        let rest = &text[start..end];
        let len = if rest.starts_with("//") {
            rest.find('\n')?
        } else if rest.starts_with('#') {
            outside(rest, |c| c == ']')? + 1
        } else {
            rest.len() - rest.trim_start().len()
        };
        if len == 0 {
            let body = start + outside(rest, |c| c == '{')?;
            return Some((&text[start..body], body..end));
        }
        start += len;
    }
}

/// Where the last arrow is that is in no parentheses.
fn arrow(signature: &str) -> Option<usize> {
    let arrows: Vec<_> = signature.match_indices("->").collect();
    let depth = |at: usize| {
        let before = &signature[..at];
        before.matches(['(', '[']).count() - before.matches([')', ']']).count()
    };
    arrows
        .into_iter()
        .map(|(at, _)| at)
        .rfind(|&at| depth(at) == 0)
}

/// Where such a character first is that is in no parentheses, or that ends the outermost of them.
fn outside(text: &str, is: impl Fn(char) -> bool) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        if matches!(c, ')' | ']') {
            depth -= 1;
        }
        if depth == 0 && is(c) {
            return Some(at);
        }
        if matches!(c, '(' | '[') {
            depth += 1;
        }
    }
    None
}

/// Columns are characters.
pub(super) fn offset(text: &str, (line, column): Place) -> Option<usize> {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.checked_sub(1)?)
        .map(str::len)
        .sum();
    let rest = text.get(start..)?;
    let in_line = rest
        .char_indices()
        .map(|(at, _)| at)
        .chain([rest.len()])
        .nth(column.checked_sub(1)?)?;
    Some(start + in_line)
}
