//! The copy of the tree, and what is built from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{ensure, Context, Result};

use crate::util::{self, step};

use super::entries::*;
use super::verdicts::*;

/// All test programs at once, on a busy machine.
pub(super) const BUILD_LIMIT: Duration = Duration::from_secs(1800);

/// A program of `ui-tests` that must compile and run whatever guard is missing. It shows that the weakened crate is sane; and
/// because of it trybuild compiles all the others as far as code generation, where some of them are refused.
pub(super) const ACCEPTED: &str = "accept/enter";

/// The package that has no `std`, and its tests. They are outside the workspace, in which the feature is always on.
pub(super) const NO_STD: &str = "no-std";

pub(super) const NO_STD_TESTS: &str = "unwinding";

/// What begins the name of a check of the bare machine out of which the device is pulled.
pub(super) const SURPRISE: &str = "surprise/";

/// The copy of the tree and what is built from it. Kept from run to run, so that little is built anew.
pub(crate) struct Workshop {
    pub(crate) tree: PathBuf,
    pub(super) target: PathBuf,
    pub(crate) output: PathBuf,
}

/// How the crate is built: as it is, without `std`, or with loom's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Build {
    Std,
    NoStd,
    Loom,
}

impl Build {
    pub(crate) const ALL: [Build; 3] = [Build::Std, Build::NoStd, Build::Loom];

    /// The targets of this build in which a test may be.
    pub(super) fn targets(self, test: &Test) -> Vec<&str> {
        match (self, &test.suite) {
            (Build::Loom, Suite::Loom) => vec!["lib", "loom"],
            (Build::NoStd, Suite::Program(program)) if program == NO_STD => vec![NO_STD_TESTS],
            (Build::Std, Suite::Program(program)) if program != NO_STD => vec![program],
            _ => Vec::new(),
        }
    }
}

/// Files that were changed in the copy. Dropped, it puts them back.
pub(super) struct Weakened<'a> {
    pub(super) workshop: &'a Workshop,
    pub(super) original: Vec<(&'a str, String)>,
}

impl Drop for Weakened<'_> {
    fn drop(&mut self) {
        for (path, text) in &self.original {
            // A write, so that the time is fresh: cargo builds anew what is newer than the last build, and a file with its
            // old time would leave the weakened build in place.
            if let Err(error) = fs::write(self.workshop.tree.join(path), text) {
                // The next run copies what differs.
                eprintln!("{path} stays weakened in the copy: {error}");
            }
        }
    }
}

impl Workshop {
    /// In a folder of this name beside what else is built.
    pub(crate) fn set_up(name: &str) -> Result<Self> {
        let home = util::target_dir()?.join(name);
        let workshop = Workshop {
            tree: home.join("tree"),
            target: home.join("build"),
            output: home.join("output"),
        };
        fs::create_dir_all(&workshop.tree)?;
        // What earlier runs printed would only confuse.
        let _ = fs::remove_dir_all(&workshop.output);
        fs::create_dir_all(&workshop.output)?;
        let copied = workshop.copy_tree()?;
        step(format!(
            "{copied} files copied to {}",
            workshop.tree.display()
        ));
        Ok(workshop)
    }

    /// Makes the copy like the tree. Writes only what differs: everything else keeps its time, and need not be built anew.
    pub(crate) fn copy_tree(&self) -> Result<usize> {
        let mut git = Command::new("git");
        git.current_dir(util::root()).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let listed = String::from_utf8(util::output(&mut git, Duration::from_secs(60))?)?;
        let mut files = BTreeSet::new();
        let mut copied = 0;
        for path in listed.split_terminator('\0') {
            let from = util::root().join(path);
            // Git lists what was deleted but is still in its index.
            if !from.is_file() {
                continue;
            }
            let to = self.tree.join(path);
            files.insert(to.clone());
            let text = fs::read(&from).with_context(|| from.display().to_string())?;
            if fs::read(&to).ok().as_ref() != Some(&text) {
                if let Some(folder) = to.parent() {
                    fs::create_dir_all(folder)?;
                }
                fs::write(&to, text).with_context(|| to.display().to_string())?;
                copied += 1;
            }
        }
        remove_others(&self.tree, &files)?;
        Ok(copied)
    }

    /// Changes the copy as the entry says.
    pub(super) fn weakened<'a>(&'a self, entry: &'a Entry) -> Result<Weakened<'a>> {
        let mut weakened = Weakened {
            workshop: self,
            original: Vec::new(),
        };
        for edit in &entry.edits {
            let path = self.tree.join(&edit.path);
            let text = fs::read_to_string(&path).with_context(|| edit.path.clone())?;
            let new = apply(&text, &edit.hunks).with_context(|| edit.path.clone())?;
            weakened.original.push((&edit.path, text));
            // Its time is fresh, see above.
            fs::write(&path, new).with_context(|| edit.path.clone())?;
        }
        Ok(weakened)
    }

    pub(crate) fn cargo(&self, target: &str) -> Command {
        let mut cargo = util::cargo();
        cargo
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", self.target.join(target))
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("RUSTFLAGS")
            // One small change after the other is built, and nobody debugs the result.
            .env("CARGO_INCREMENTAL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
        cargo
    }

    /// Builds test programs, by target: a file of `tests/`, or `lib`.
    pub(crate) fn build(
        &self,
        build: Build,
        targets: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, PathBuf>> {
        let folder = format!("{build:?}").to_lowercase();
        let mut cargo = self.cargo(&folder);
        cargo.args([
            "test",
            "--quiet",
            "--no-run",
            "--message-format=json-render-diagnostics",
        ]);
        // A guard that is gone leaves unused things behind: no warnings.
        cargo.env("RUSTFLAGS", "-Awarnings");
        match build {
            Build::Std => {
                cargo.arg("--package=driver-scope");
            }
            Build::NoStd => {
                cargo.arg(format!("--manifest-path=tests/{NO_STD}/Cargo.toml"));
            }
            Build::Loom => {
                // A model is many thousand executions. (Other packages do not all build with loom's types.)
                cargo.args(["--release", "--package=driver-scope"]);
                cargo.env("RUSTFLAGS", "-Awarnings --cfg loom");
            }
        }
        for target in targets {
            match *target {
                "lib" => cargo.arg("--lib"),
                name => cargo.args(["--test", name]),
            };
        }
        let messages = util::output(&mut cargo, BUILD_LIMIT)?;
        let programs = executables(&String::from_utf8_lossy(&messages));
        for target in targets {
            ensure!(
                programs.contains_key(*target),
                "cargo names no executable for the test `{target}`"
            );
        }
        Ok(programs)
    }

    /// Where to keep what a test prints.
    pub(super) fn output(&self, what: &str, test: &str) -> Result<PathBuf> {
        let folder = self.output.join(what);
        fs::create_dir_all(&folder)?;
        Ok(folder.join(test.replace(['/', ':', ' '], "_") + ".txt"))
    }

    /// Has trybuild compile these programs of `ui-tests`, and `ACCEPTED`; returns what it says.
    pub(super) fn ui(&self, what: &str, names: &[&str]) -> Result<String> {
        let file = self.output(what, "ui")?;
        let mut cargo = self.cargo("ui");
        cargo
            // The messages are compared; colours would be in them.
            .env("NO_COLOR", "1")
            .env_remove("TRYBUILD")
            .args(["test", "--package", "ui-tests", "--test", "ui", "--", "ui"])
            .arg(format!("trybuild={ACCEPTED}.rs"));
        for name in names {
            cargo.arg(format!("trybuild={name}.rs"));
        }
        // It fails, since the programs are accepted that should not be.
        finish(cargo, BUILD_LIMIT, &file)?;
        let said = without_notice(&fs::read_to_string(&file)?);
        let accepted = verdict(&said, ACCEPTED);
        ensure!(
            accepted == Some(Verdict::AsExpected),
            "{ACCEPTED} must compile and run, with or without the guard (see {})",
            file.display()
        );
        Ok(said)
    }

    /// Has the image for the bare machine built and run, once in each way that these checks need, and says which of them were not
    /// passed.
    pub(super) fn bare<'a>(&self, what: &str, names: &[&'a str]) -> Result<Vec<&'a str>> {
        let mut failed = Vec::new();
        for surprise in [false, true] {
            let mut names = names
                .iter()
                .filter(|name| name.starts_with(SURPRISE) == surprise)
                .peekable();
            if names.peek().is_none() {
                continue;
            }
            let file = self.output(what, if surprise { "bare surprise" } else { "bare" })?;
            let mut cargo = self.cargo("bare");
            cargo.args(["run", "--quiet", "--package", "xtask", "--"]);
            cargo.args(["qemu", "bare-metal"]);
            cargo.args(surprise.then_some("--surprise"));
            // It fails, since the machine does, or hangs until it is ended.
            finish(cargo, BUILD_LIMIT, &file)?;
            let said = fs::read_to_string(&file)?;
            ensure!(
                said.contains("boot 1 of 1"),
                "the image does not build (see {})",
                file.display()
            );
            failed.extend(names.filter(|name| !passed(&said, name)));
        }
        Ok(failed)
    }
}

/// Whether the bare machine has said that it passed a check.
pub(super) fn passed(said: &str, name: &str) -> bool {
    let check = name.strip_prefix(SURPRISE).unwrap_or(name);
    let line = format!("BARE-CHECK {check} ok");
    said.lines().any(|said| said.trim_end() == line)
}

pub(super) fn remove_others(folder: &Path, files: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, files)?;
        } else if !files.contains(&path) {
            fs::remove_file(&path).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

/// The test programs in cargo's messages, by target. They are JSON, one object a line; little is wanted of them.
pub(super) fn executables(messages: &str) -> BTreeMap<String, PathBuf> {
    let after = |line: &str, mark: &str| -> Option<String> {
        let (_, rest) = line.split_once(mark)?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    messages
        .lines()
        .filter_map(|line| {
            let (_, target) = line.split_once("\"target\":")?;
            let executable = after(target, "\"executable\":\"")?;
            let name = match after(target, "\"kind\":[\"")?.as_str() {
                "lib" => "lib".to_owned(),
                "test" => after(target, "\"name\":\"")?,
                _ => return None,
            };
            Some((name, PathBuf::from(executable)))
        })
        .collect()
}
