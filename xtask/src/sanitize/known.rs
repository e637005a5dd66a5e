//! What is reported and meant to be: `known.txt`.

use std::collections::BTreeMap;

use anyhow::{bail, ensure, Context, Result};

use super::mode::Mode;
use super::watch::Seen;

/// Any program, now and then.
const ANY: &str = "*";

const LIST: &str = include_str!("known.txt");

/// A report that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// `leak` or `race`; `lost` for a leak that only valgrind sees; or `skip-` with a mode: a test that this is nothing for.
    what: String,
    /// The program's path.
    program: String,
    /// A function on the stack of the report; or the test's name.
    pub function: String,
}

pub fn load() -> Result<Vec<Known>> {
    parse(LIST).context("known.txt")
}

fn parse(text: &str) -> Result<Vec<Known>> {
    let mut known = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (entry, why) = line
            .split_once(": ")
            .with_context(|| format!("no reason is given: {line}"))?;
        ensure!(!why.trim().is_empty(), "no reason is given: {line}");
        let words: Vec<&str> = entry.split_whitespace().collect();
        let [what, program, function] = words[..] else {
            bail!("not `what program function: reason`: {line}");
        };
        let skips = |mode: &str| Mode::by_name(mode).is_some();
        ensure!(
            ["leak", "lost", "race"].contains(&what)
                || what.strip_prefix("skip-").is_some_and(skips),
            "neither `leak`, `lost` nor `race`, nor `skip-` and a mode: {line}"
        );
        known.push(Known {
            what: what.to_owned(),
            program: program.to_owned(),
            function: function.to_owned(),
        });
    }
    Ok(known)
}

impl Known {
    fn concerns(&self, mode: Mode) -> bool {
        match mode {
            Mode::Address | Mode::Valgrind => false,
            Mode::Thread => self.what == "race",
            Mode::Leak => self.what == "leak",
        }
    }

    fn is_skipped(&self, mode: Mode) -> bool {
        self.what.strip_prefix("skip-") == Some(mode.name())
    }
}

/// The tests of a program that a mode is nothing for.
pub fn skipped<'a>(known: &'a [Known], mode: Mode, program: &str) -> Vec<&'a str> {
    known
        .iter()
        .filter(|known| known.is_skipped(mode) && known.program == program)
        .map(|known| known.function.as_str())
        .collect()
}

/// What a program may be reported for, in the words of the sanitizers.
pub fn suppressions(known: &[Known], mode: Mode, program: &str) -> String {
    let mut text = String::new();
    let ours = known
        .iter()
        .filter(|known| known.concerns(mode) && [program, ANY].contains(&known.program.as_str()));
    for Known { what, function, .. } in ours {
        text += &format!("{what}:{function}\n");
    }
    text
}

/// Whether a program leaks on purpose. What, LeakSanitizer judges one by one; valgrind cannot, since of what is lost in a circle it names any one.
pub fn leaks(known: &[Known], program: &str) -> bool {
    known
        .iter()
        .any(|known| ["leak", "lost"].contains(&known.what.as_str()) && known.program == program)
}

/// What is listed for programs that were run to their end, and was not reported.
pub fn stale(known: &[Known], mode: Mode, seen: &[Seen]) -> Vec<String> {
    let used: BTreeMap<&str, &Seen> = seen.iter().map(|seen| (seen.path.as_str(), seen)).collect();
    known
        .iter()
        .filter(|known| {
            used.get(known.program.as_str()).is_some_and(|seen| {
                let unused = known.concerns(mode) && !seen.known.contains_key(&known.function);
                seen.is_well() && (unused || known.is_skipped(mode) && seen.skipped == 0)
            })
        })
        .map(|known| format!("`{} {} {}`", known.what, known.program, known.function))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_and_each_has_a_reason() {
        load().unwrap();
        assert!(parse("leak tests/a.rs f").is_err());
        assert!(parse("leak tests/a.rs: why").is_err());
        assert!(parse("crash tests/a.rs f: why").is_err());
        assert!(parse("skip-nothing tests/a.rs f: why").is_err());
        assert_eq!(parse("# a comment\n\n").unwrap(), []);
    }

    #[test]
    fn a_tool_is_told_of_one_program_only() {
        let known = parse("leak tests/a.rs f: why\nrace tests/a.rs g: why\nlost tests/b.rs h: why")
            .unwrap();
        assert_eq!(suppressions(&known, Mode::Leak, "tests/a.rs"), "leak:f\n");
        let any = parse("leak * f: why").unwrap();
        assert_eq!(suppressions(&any, Mode::Leak, "tests/a.rs"), "leak:f\n");
        assert!(stale(&any, Mode::Leak, &[Seen::of("tests/a.rs")]).is_empty());
        assert_eq!(suppressions(&known, Mode::Thread, "tests/a.rs"), "race:g\n");
        assert_eq!(suppressions(&known, Mode::Address, "tests/a.rs"), "");
        assert!(leaks(&known, "tests/b.rs") && !leaks(&known, "tests/c.rs"));
    }

    #[test]
    fn what_is_no_longer_reported_is_told() {
        let known = parse("leak tests/a.rs f: why\nleak tests/b.rs h: why").unwrap();
        let mut seen = Seen::of("tests/a.rs");
        assert_eq!(
            stale(&known, Mode::Leak, std::slice::from_ref(&seen)),
            ["`leak tests/a.rs f`"]
        );
        seen.known.insert("f".into(), 1);
        assert!(stale(&known, Mode::Leak, &[seen]).is_empty());
    }

    #[test]
    fn a_test_is_skipped_in_one_mode_only() {
        let known = parse("skip-valgrind tests/a.rs f: why").unwrap();
        assert_eq!(skipped(&known, Mode::Valgrind, "tests/a.rs"), ["f"]);
        assert!(skipped(&known, Mode::Valgrind, "tests/b.rs").is_empty());
        assert!(skipped(&known, Mode::Leak, "tests/a.rs").is_empty());
        assert_eq!(suppressions(&known, Mode::Valgrind, "tests/a.rs"), "");
        let mut seen = Seen::of("tests/a.rs");
        assert_eq!(
            stale(&known, Mode::Valgrind, std::slice::from_ref(&seen)).len(),
            1
        );
        seen.skipped = 1;
        assert!(stale(&known, Mode::Valgrind, &[seen]).is_empty());
    }
}
