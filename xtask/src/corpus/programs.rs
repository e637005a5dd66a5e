//! The programs, and what to think of what a compiler says of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Folders of `ui-tests/` that hold no programs.
const OTHERS: [&str; 4] = ["src", "tests", "target", "wip"];

/// What a program is there for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// To be refused.
    Refused,
    /// To be accepted.
    Accepted,
    /// Accepted, though it should not be, by a mistake of the compiler.
    Known,
}

pub(super) struct Program {
    /// From `ui-tests/`.
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    /// Only `cargo build` finds what is wrong with it.
    pub(super) late: bool,
    /// The first lines of the errors that are kept.
    pub(super) expected: BTreeSet<String>,
}

/// What became of a program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// What it was there for.
    AsExpected,
    /// It was refused, by these first lines of errors that are not those that are kept.
    OtherWords(BTreeSet<String>),
    /// A mistake of the compiler is none any more.
    Mended,
    /// Accepted instead of refused, or the other way round.
    Wrong(String),
}

/// The programs whose path contains `part`, and those for comparison.
pub(super) fn programs(home: &Path, part: &str) -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    for area in fs::read_dir(home).with_context(|| home.display().to_string())? {
        let area = area?.path();
        let name = area
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let kind = match name.as_str() {
            "accept" => Kind::Accepted,
            "rustc" => Kind::Known,
            _ if OTHERS.contains(&name.as_str()) || !area.is_dir() => continue,
            _ => Kind::Refused,
        };
        for file in fs::read_dir(&area)? {
            let file = file?.path();
            let path = file.strip_prefix(home)?.to_path_buf();
            let wanted = kind != Kind::Refused || path.to_string_lossy().contains(part);
            if file.extension().is_none_or(|extension| extension != "rs") || !wanted {
                continue;
            }
            let text = fs::read_to_string(&file)?;
            let mut comment = text.lines().take_while(|line| line.starts_with("//"));
            let late = comment.any(|line| line.contains("Found when code is generated."));
            let expected = match kind {
                Kind::Refused => headlines(&fs::read_to_string(file.with_extension("stderr"))?),
                Kind::Accepted | Kind::Known => BTreeSet::new(),
            };
            programs.push(Program {
                path,
                kind,
                late,
                expected,
            });
        }
    }
    programs.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(programs)
}

/// What to think of a program that the compiler has left with this exit code and these messages.
pub(super) fn judge(program: &Program, code: Option<i32>, said: &str) -> Verdict {
    let errors = headlines(said);
    match (program.kind, code) {
        (Kind::Accepted | Kind::Known, Some(0)) => Verdict::AsExpected,
        (Kind::Refused, Some(0)) => Verdict::Wrong("accepted".into()),
        (Kind::Known, Some(1)) => Verdict::Mended,
        (Kind::Refused, Some(1)) if errors == program.expected => Verdict::AsExpected,
        (Kind::Refused, Some(1)) => Verdict::OtherWords(errors),
        (Kind::Accepted, Some(1)) => Verdict::Wrong(format!("refused: {errors:?}")),
        // 101 is what rustc ends with when it has a mistake itself.
        (_, code) => Verdict::Wrong(format!("the compiler ended with {code:?}: {errors:?}")),
    }
}

/// The first lines of the errors, with the names in them left out.
fn headlines(said: &str) -> BTreeSet<String> {
    let errors = said.lines().filter(|line| {
        (line.starts_with("error[") || line.starts_with("error: "))
            && !line.starts_with("error: aborting due to")
            && !line.starts_with("error: could not compile")
    });
    errors.map(anonymous).collect()
}

/// A message with all that is in backticks left out: names, and types in the form that is the fashion of the day.
fn anonymous(message: &str) -> String {
    let (mut outside, mut result) = (true, String::new());
    for part in message.trim().split('`') {
        result.push_str(if outside { part } else { "_" });
        outside = !outside;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
error[E0521]: borrowed data escapes outside of function
 --> a.rs:1:1
error: lifetime may not live long enough
error[E0597]: `x` does not live long enough
warning: unused
error: aborting due to 3 previous errors
";

    fn program(kind: Kind) -> Program {
        Program {
            path: "a/b.rs".into(),
            kind,
            late: false,
            expected: headlines(SAID),
        }
    }

    #[test]
    fn the_first_lines_of_errors_are_compared_without_names() {
        let found: Vec<String> = headlines(SAID).into_iter().collect();
        let expected = [
            "error: lifetime may not live long enough",
            "error[E0521]: borrowed data escapes outside of function",
            "error[E0597]: _ does not live long enough",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_accepted_program_is_wrong_and_other_words_are_told() {
        let refused = program(Kind::Refused);
        assert!(matches!(judge(&refused, Some(0), ""), Verdict::Wrong(_)));
        assert_eq!(judge(&refused, Some(1), SAID), Verdict::AsExpected);
        let other = SAID.replace("`x` does", "`y` does not at all");
        assert!(matches!(
            judge(&refused, Some(1), &other),
            Verdict::OtherWords(_)
        ));
        for code in [Some(101), None] {
            assert!(matches!(judge(&refused, code, SAID), Verdict::Wrong(_)));
        }
    }

    #[test]
    fn those_for_comparison_are_accepted() {
        let (accepted, known) = (program(Kind::Accepted), program(Kind::Known));
        assert_eq!(judge(&accepted, Some(0), ""), Verdict::AsExpected);
        assert!(matches!(judge(&accepted, Some(1), SAID), Verdict::Wrong(_)));
        assert_eq!(judge(&known, Some(0), ""), Verdict::AsExpected);
        assert_eq!(judge(&known, Some(1), SAID), Verdict::Mended);
    }
}
