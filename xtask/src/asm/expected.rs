//! The code that is kept in `codegen/expected`.

use std::fs;
use std::path::PathBuf;

use anyhow::{bail, Context, Result};

use super::code::Functions;
use super::machine::Machine;
use crate::util;

/// Compares with what is kept, or keeps it.
pub fn compare(
    machine: &Machine,
    names: &[&str],
    functions: &Functions,
    bless: bool,
) -> Result<()> {
    let file = file(machine);
    let now = text(machine.compiler(), names, functions);
    if bless {
        let folder = file.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        return fs::write(&file, now).with_context(|| format!("writing {}", file.display()));
    }
    let kept = fs::read_to_string(&file)
        .with_context(|| format!("reading {} (`--bless` makes it)", file.display()))?;
    match verdict(&kept, &now) {
        Verdict::Same => Ok(()),
        Verdict::OtherCompiler(differences) => {
            println!(
                "NOTE: {} is from another compiler, {}, and this one makes other code (as it does by hand): {}",
                file.display(),
                compiler(&kept),
                differences.join(", ")
            );
            Ok(())
        }
        Verdict::Changed(differences) => bail!(
            "the code is not what {} has (if it should change: `cargo xtask asm --bless`): {}",
            file.display(),
            differences.join(", ")
        ),
    }
}

fn file(machine: &Machine) -> PathBuf {
    util::root()
        .join("codegen/expected")
        .join(machine.name())
        .join("functions.txt")
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Same,
    /// These functions differ, and the compiler does as well: it is free to. (That the code is the same as by hand has been seen before.)
    OtherCompiler(Vec<String>),
    /// These functions differ.
    Changed(Vec<String>),
}

fn verdict(kept: &str, now: &str) -> Verdict {
    let body = |text: &str| -> Vec<String> {
        text.split("\n\n")
            .skip(1)
            .map(|f| f.trim().into())
            .collect()
    };
    let (old, new) = (body(kept), body(now));
    let name = |function: &String| function.split(':').next().unwrap_or_default().to_owned();
    let mut differences: Vec<String> = new
        .iter()
        .filter(|function| !old.contains(function))
        .map(name)
        .collect();
    differences.extend(
        old.iter()
            .map(name)
            .filter(|gone| !new.iter().any(|function| name(function) == *gone)),
    );
    if differences.is_empty() {
        Verdict::Same
    } else if compiler(kept) != compiler(now) {
        Verdict::OtherCompiler(differences)
    } else {
        Verdict::Changed(differences)
    }
}

fn text(compiler: &str, names: &[&str], functions: &Functions) -> String {
    let mut text = format!("{compiler}\nWritten by `cargo xtask asm --bless`.\n");
    for &name in names {
        text.push_str(&format!("\n{name}:\n"));
        for line in &functions[name] {
            let indent = if line.ends_with(':') { "" } else { "    " };
            text.push_str(&format!("{indent}{line}\n"));
        }
    }
    text
}

/// The first line.
fn compiler(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(compiler: &str, code: &[(&str, &str)]) -> String {
        let names: Vec<&str> = code.iter().map(|(name, _)| *name).collect();
        let functions = code
            .iter()
            .map(|(name, line)| (name.to_string(), vec![line.to_string(), ".L1:".into()]))
            .collect();
        text(compiler, &names, &functions)
    }

    #[test]
    fn what_changed_is_named() {
        let old = kept("rustc 1", &[("a", "lw"), ("b", "ret"), ("c", "ret")]);
        assert!(old.contains("\na:\n    lw\n.L1:\n\nb:"), "{old}");
        assert_eq!(verdict(&old, &old), Verdict::Same);
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        let new = kept("rustc 1", &[("a", "sw"), ("b", "ret"), ("d", "ret")]);
        assert_eq!(
            verdict(&old, &new),
            Verdict::Changed(names(&["a", "d", "c"]))
        );
        assert_eq!(
            verdict("", &old),
            Verdict::OtherCompiler(names(&["a", "b", "c"]))
        );
    }

    #[test]
    fn another_compiler_may_make_other_code() {
        let old = kept("rustc 1", &[("a", "lw")]);
        assert_eq!(
            verdict(&old, &kept("rustc 2", &[("a", "lw")])),
            Verdict::Same
        );
        let other = verdict(&old, &kept("rustc 2", &[("a", "ld")]));
        assert_eq!(other, Verdict::OtherCompiler(vec!["a".into()]));
    }
}
