//! What is looked at, and how it is built.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{ensure, Context, Result};

use super::mode::Tools;
use crate::util;

/// With the library built anew on a loaded machine.
const BUILD: Duration = Duration::from_secs(1800);

/// The packages whose tests they are.
const PACKAGES: [&str; 5] = [
    "driver-scope",
    "edu",
    "edu-model",
    "nova-timer",
    "nova-timer-model",
];
/// The package that the examples are.
const EXAMPLES: &str = "driver-scope-examples";
/// All of the crate.
pub const FEATURES: &str = "barriers,safe-mmio";

/// A workspace of its own with further tests. (`tests/no-alloc` has neither a libc nor an allocator for a sanitizer to stand in for.)
const NO_STD: &str = "tests/no-std/Cargo.toml";

/// Programs that compile, and so must be harmless.
const ACCEPTED: &str = "ui-tests/accept";

/// What the tests in the documentation are called.
pub const DOCUMENTATION: &str = "documentation";

/// A program that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its source's path in the repository, by which it is called.
    pub path: String,
    pub executable: PathBuf,
    /// Where cargo would run it.
    pub folder: PathBuf,
    /// Whether it is a harness that runs tests.
    pub harness: bool,
    pub args: Vec<String>,
}

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    All,
    /// Without examples, documentation and the accepted programs.
    Tests,
}

/// Builds all that there is, but for the documentation.
pub fn build(tools: &Tools, extent: Extent) -> Result<Vec<Program>> {
    let mut tests = tools.cargo("test");
    tests.args(["--no-run", "--locked", "--features", FEATURES]);
    if extent == Extent::All {
        tests.args(["--package", EXAMPLES]);
    }
    for package in PACKAGES {
        tests.args(["--package", package]);
    }
    let mut programs = built(tests)?;

    let mut no_std = tools.cargo("test");
    no_std.args(["--no-run", "--locked", "--manifest-path", NO_STD]);
    programs.extend(built(no_std)?);

    if extent == Extent::All {
        let mut accepted = tools.cargo("build");
        accepted.arg("--manifest-path").arg(accepting()?);
        programs.extend(built(accepted)?);
    }
    Ok(programs)
}

/// The program of `tests/deliberate`.
pub fn deliberate(tools: &Tools) -> Result<Program> {
    let mut cargo = tools.cargo("build");
    cargo.args(["--locked", "--manifest-path", "tests/deliberate/Cargo.toml"]);
    let programs = built(cargo)?;
    programs
        .into_iter()
        .next()
        .context("cargo names no executable for tests/deliberate")
}

fn built(mut cargo: std::process::Command) -> Result<Vec<Program>> {
    cargo.arg("--message-format=json-render-diagnostics");
    let messages = util::output(&mut cargo, BUILD)?;
    Ok(programs(&String::from_utf8_lossy(&messages), util::root()))
}

/// A package with each accepted program, as trybuild would make it.
fn accepting() -> Result<PathBuf> {
    let root = util::root();
    let folder = util::target_dir()?.join("sanitize").join("accept");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let tests = fs::read_to_string(root.join("ui-tests/Cargo.toml"))?;
    let mut manifest = manifest(&tests, root)?;
    let accepted = root.join(ACCEPTED);
    let mut names: Vec<String> = fs::read_dir(&accepted)?
        .filter_map(|entry| {
            Some(
                entry
                    .ok()?
                    .file_name()
                    .to_str()?
                    .strip_suffix(".rs")?
                    .to_owned(),
            )
        })
        .collect();
    names.sort();
    for name in names {
        let path = accepted.join(format!("{name}.rs"));
        write!(manifest, "\n[[bin]]\nname = {name:?}\npath = {path:?}\n")?;
    }
    let path = folder.join("Cargo.toml");
    fs::write(&path, manifest)?;
    // The same versions of what it depends on.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(path)
}

/// The head of that package's manifest, with the dependencies of the package `ui-tests`.
fn manifest(tests: &str, root: &Path) -> Result<String> {
    let (_, rest) = tests
        .split_once("[dependencies]\n")
        .context("ui-tests has no dependencies")?;
    let dependencies = rest.split("\n[").next().unwrap_or_default();
    let here = format!("path = {:?}", root.display().to_string());
    ensure!(
        dependencies.contains("path = \"..\""),
        "ui-tests does not depend on the crate"
    );
    Ok(format!(
        "[workspace]\n\n[package]\nname = \"accept\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
         # What is wrong with them besides is not the question here.\n[lints.rust]\nwarnings = \"allow\"\n\n[dependencies]\n{}\n",
        dependencies.replace("path = \"..\"", &here).trim_end()
    ))
}

/// The programs in cargo's messages. They are JSON, one object a line; little is wanted of them.
fn programs(messages: &str, root: &Path) -> Vec<Program> {
    fn after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
        let (_, rest) = line.split_once(mark)?;
        rest.split_once('"').map(|(value, _)| value)
    }
    messages
        .lines()
        .filter(|line| line.contains("\"reason\":\"compiler-artifact\""))
        .filter_map(|line| {
            let executable = PathBuf::from(after(line, "\"executable\":\"")?);
            let source = after(line, "\"src_path\":\"")?;
            let manifest = Path::new(after(line, "\"manifest_path\":\"")?);
            let path = Path::new(source).strip_prefix(root).ok()?;
            Some(Program {
                path: path.to_str()?.to_owned(),
                executable,
                folder: manifest.parent()?.to_owned(),
                harness: line.contains("\"test\":true},\"features\""),
                args: Vec::new(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_the_messages() {
        let messages = r#"{"reason":"compiler-artifact","manifest_path":"/r/Cargo.toml","target":{"kind":["lib"],"name":"other","src_path":"/r/src/lib.rs"},"profile":{"test":false},"features":[],"executable":null}
{"reason":"compiler-artifact","manifest_path":"/r/drivers/edu/Cargo.toml","target":{"kind":["test"],"name":"fake","src_path":"/r/drivers/edu/tests/fake.rs"},"profile":{"opt_level":"0","test":true},"features":[],"executable":"/t/fake-1","fresh":true}
{"reason":"compiler-artifact","manifest_path":"/r/Cargo.toml","target":{"kind":["example"],"name":"fake","src_path":"/r/examples/fake.rs"},"profile":{"test":false},"features":[],"executable":"/t/fake","fresh":true}
{"reason":"build-finished","success":true}"#;
        let found = programs(messages, Path::new("/r"));
        let brief: Vec<_> = found
            .iter()
            .map(|program| (program.path.as_str(), program.harness))
            .collect();
        assert_eq!(
            brief,
            [
                ("drivers/edu/tests/fake.rs", true),
                ("examples/fake.rs", false)
            ]
        );
        assert_eq!(found[0].executable, Path::new("/t/fake-1"));
        assert_eq!(found[0].folder, Path::new("/r/drivers/edu"));
    }

    #[test]
    fn accepted_programs_have_the_dependencies_of_the_others() {
        let tests = "[package]\nname = \"x\"\n\n[dependencies]\ndriver-scope = { path = \"..\" }\na = \"1\"\n\n[dev-dependencies]\nb = \"2\"\n";
        let made = manifest(tests, Path::new("/r")).unwrap();
        assert!(
            made.ends_with("[dependencies]\ndriver-scope = { path = \"/r\" }\na = \"1\"\n"),
            "{made}"
        );
        assert!(manifest("[dependencies]\n", Path::new("/r")).is_err());
    }
}
