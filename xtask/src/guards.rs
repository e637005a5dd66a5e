//! `cargo xtask guards`: takes each guard away, and sees the tests that are named for it fail.
//!
//! A guard is what keeps the crate sound or a program from hanging: a bound, a mark, a wait. `tests/GUARDS.md` and
//! `tests/loom/README.md` say of each how it is taken away, as an exact diff, and which tests notice; the first says how an
//! entry is written. A test that nobody has seen fail says little, and neither does one that was seen to fail a year ago.
//!
//! All of it happens on a copy of the tree: the files that git knows, and new ones that it does not ignore. What the tests
//! printed is kept beside the copy.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Context, Result};

use crate::util::{self, step};

const USAGE: &str = "usage: cargo xtask guards [part of an id] [--list]";

/// Where the entries are.
const DOCUMENTS: [&str; 2] = ["tests/GUARDS.md", "tests/loom/README.md"];

const BUILD_LIMIT: Duration = Duration::from_secs(600);
/// A test that lasts ten times as long as on the untouched copy hangs. But no verdict before this: the machine may be loaded.
const LEAST_LIMIT: Duration = Duration::from_secs(15);
/// No test may last longer than this, with or without its guard.
const MOST_LIMIT: Duration = Duration::from_secs(60);

/// A program of `ui-tests` that must compile and run whatever guard is missing. It shows that the weakened crate is sane; and
/// because of it trybuild compiles all the others as far as code generation, where some of them are refused.
const ACCEPTED: &str = "accept/enter";

/// The package that has no `std`, and its tests. They are outside the workspace, in which the feature is always on.
const NO_STD: &str = "no-std";
const NO_STD_TESTS: &str = "unwinding";

pub fn run(args: &[String]) -> Result<()> {
    let mut list = false;
    let mut part = None;
    for arg in args {
        match arg.as_str() {
            "--list" => list = true,
            word if !word.starts_with('-') && part.is_none() => part = Some(word),
            _ => bail!(USAGE),
        }
    }
    let mut entries = load()?;
    entries.retain(|entry| part.is_none_or(|part| entry.id.contains(part)));
    ensure!(
        !entries.is_empty(),
        "no such guard; `cargo xtask guards --list` lists all"
    );
    if list {
        for entry in &entries {
            println!("{:<36} {}", entry.id, entry.document);
        }
        return Ok(());
    }

    let started = Instant::now();
    let workshop = Workshop::set_up()?;
    let known = examine(&workshop, &entries)?;
    let total = entries.len();
    let mut results = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        print!("[{:>2}/{total}] {} ... ", number + 1, entry.id);
        io::stdout().flush()?;
        let began = Instant::now();
        let result = if entry.tests.is_empty() {
            // That it is still there to be taken away is all there is to see.
            workshop
                .weakened(entry)
                .map(|_| "redundant, as told: not run".to_owned())
        } else {
            take_away(&workshop, entry, &known)
        };
        let took = began.elapsed().as_secs_f64();
        match &result {
            Ok(what) => println!("{what}, {took:.1} s"),
            Err(error) => println!("FAILED, {took:.1} s: {error:#}"),
        }
        results.push((entry, took, result));
    }
    conclude(&results, started.elapsed())
}

fn conclude(results: &[(&Entry, f64, Result<String>)], took: Duration) -> Result<()> {
    println!();
    for (entry, took, result) in results {
        let told = match result {
            Ok(what) => what.clone(),
            // Its first line: the whole was told above.
            Err(error) => {
                let whole = format!("{error:#}");
                format!("FAILED: {}", whole.lines().next().unwrap_or_default())
            }
        };
        println!("  {:<36} {took:>6.1} s  {told}", entry.id);
    }
    println!();
    let failed = results.iter().filter(|result| result.2.is_err()).count();
    let seconds = took.as_secs();
    let took = format!("{} min {:02} s", seconds / 60, seconds % 60);
    ensure!(
        failed == 0,
        "{failed} of {} guards cannot be taken away as told, or the tests named for them do not notice ({took})",
        results.len()
    );
    let run = results.iter().filter(|result| !result.0.tests.is_empty());
    println!(
        "{} guards taken away, each time all the tests named for it failed; {took}",
        run.count()
    );
    Ok(())
}

// --- The entries ---

/// A guard, how it is taken away, and who notices.
#[derive(Debug)]
struct Entry {
    id: String,
    /// The file that tells of it.
    document: &'static str,
    edits: Vec<Edit>,
    /// Empty if the document says that it is redundant.
    tests: Vec<Test>,
}

/// A change of one file.
#[derive(Debug, PartialEq, Eq)]
struct Edit {
    path: String,
    hunks: Vec<Hunk>,
}

/// Whole lines, each with its end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Hunk {
    old: String,
    new: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Test {
    suite: Suite,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Suite {
    /// A loom model, of `tests/loom` or of the library.
    Loom,
    /// A program of `ui-tests`, which the compiler must refuse.
    Ui,
    /// A file of `tests/`, `lib`, or `NO_STD`.
    Program(String),
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.suite {
            Suite::Loom => write!(f, "{}", self.name),
            Suite::Ui => write!(f, "ui: {}", self.name),
            Suite::Program(program) => write!(f, "{program}: {}", self.name),
        }
    }
}

/// As an entry names it: `program: test`, `ui: program`, or the bare name of a model.
fn test(item: &str) -> Test {
    let (suite, name) = match item.split_once(": ") {
        None => (Suite::Loom, item),
        Some(("ui", name)) => (Suite::Ui, name),
        Some((program, name)) => (Suite::Program(program.to_owned()), name),
    };
    Test {
        suite,
        name: name.trim().to_owned(),
    }
}

fn load() -> Result<Vec<Entry>> {
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

fn parse(document: &'static str, text: &str) -> Result<Vec<Entry>> {
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

fn parse_entry(document: &'static str, id: &str, lines: &[&str]) -> Result<Entry> {
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
fn file_named_in(line: &str) -> Option<String> {
    let mut quoted = line.split('`').skip(1).step_by(2);
    quoted
        .find(|word| word.contains('/') && !word.contains(' '))
        .map(str::to_owned)
}

fn parse_diff(lines: &[&str]) -> Result<Vec<Hunk>> {
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
fn apply(text: &str, hunks: &[Hunk]) -> Result<String> {
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

// --- The copy ---

/// The copy of the tree and what is built from it. Kept from run to run, so that little is built anew.
struct Workshop {
    tree: PathBuf,
    target: PathBuf,
    output: PathBuf,
}

/// How the crate is built: as it is, without `std`, or with loom's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Build {
    Std,
    NoStd,
    Loom,
}

impl Build {
    const ALL: [Build; 3] = [Build::Std, Build::NoStd, Build::Loom];

    /// The targets of this build in which a test may be.
    fn targets(self, test: &Test) -> Vec<&str> {
        match (self, &test.suite) {
            (Build::Loom, Suite::Loom) => vec!["lib", "loom"],
            (Build::NoStd, Suite::Program(program)) if program == NO_STD => vec![NO_STD_TESTS],
            (Build::Std, Suite::Program(program)) if program != NO_STD => vec![program],
            _ => Vec::new(),
        }
    }
}

/// Files that were changed in the copy. Dropped, it puts them back.
struct Weakened<'a> {
    workshop: &'a Workshop,
    original: Vec<(&'a str, String)>,
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
    fn set_up() -> Result<Self> {
        let home = util::target_dir()?.join("guards");
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
    fn copy_tree(&self) -> Result<usize> {
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
    fn weakened<'a>(&'a self, entry: &'a Entry) -> Result<Weakened<'a>> {
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

    fn cargo(&self, target: &str) -> Command {
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
    fn build(&self, build: Build, targets: &BTreeSet<&str>) -> Result<BTreeMap<String, PathBuf>> {
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
            Build::Std => {}
            Build::NoStd => {
                cargo.arg(format!("--manifest-path=tests/{NO_STD}/Cargo.toml"));
            }
            Build::Loom => {
                // A model is many thousand executions.
                cargo.arg("--release");
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
    fn output(&self, what: &str, test: &str) -> Result<PathBuf> {
        let folder = self.output.join(what);
        fs::create_dir_all(&folder)?;
        Ok(folder.join(test.replace(['/', ':', ' '], "_") + ".txt"))
    }

    /// Has trybuild compile these programs of `ui-tests`, and `ACCEPTED`; returns what it says.
    fn ui(&self, what: &str, names: &[&str]) -> Result<String> {
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
        let said = fs::read_to_string(&file)?;
        let accepted = verdict(&said, ACCEPTED);
        ensure!(
            accepted == Some(Verdict::AsExpected),
            "{ACCEPTED} must compile and run, with or without the guard (see {})",
            file.display()
        );
        Ok(said)
    }
}

fn remove_others(folder: &Path, files: &BTreeSet<PathBuf>) -> Result<()> {
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
fn executables(messages: &str) -> BTreeMap<String, PathBuf> {
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

// --- The tests ---

/// A test program to be run for one test.
struct Job {
    program: PathBuf,
    name: String,
    limit: Duration,
    output: PathBuf,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Passed,
    Failed,
    /// By a signal: what fails inside an `extern "C"` function aborts.
    Aborted,
    /// It did not, until it was ended.
    Hung,
}

/// What trybuild says of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It was refused as it should be; or accepted, if it should be.
    AsExpected,
    /// It was accepted, and should not be.
    Accepted,
    /// It was refused, for another reason than the one that is known of it.
    RefusedOtherwise,
}

/// What is known of a test from the untouched copy.
struct Known {
    build: Build,
    target: String,
    limit: Duration,
}

/// Each test in a process of its own: some end by an abort, and some not at all.
fn run_all(jobs: &[Job]) -> Result<Vec<(Ending, Duration)>> {
    // More than there are processors: those that hang mostly sleep.
    let workers = 2 * thread::available_parallelism().map_or(1, |n| n.get());
    let next = AtomicUsize::new(0);
    let endings = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((number, job)) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    jobs.get(number).map(|job| (number, job))
                } {
                    let mut program = Command::new(&job.program);
                    program
                        .args(["--exact", &job.name, "--include-ignored"])
                        .env_remove("RUST_BACKTRACE");
                    let ending = finish(program, job.limit, &job.output);
                    let mut endings = endings.lock().unwrap_or_else(PoisonError::into_inner);
                    endings.push((number, ending));
                }
            });
        }
    });
    let mut endings = endings.into_inner().unwrap_or_else(PoisonError::into_inner);
    endings.sort_by_key(|(number, _)| *number);
    endings.into_iter().map(|(_, ending)| ending).collect()
}

/// Runs a program to its end, or ends it. What it prints goes to a file.
fn finish(mut program: Command, limit: Duration, output: &Path) -> Result<(Ending, Duration)> {
    let name = program.get_program().to_string_lossy().into_owned();
    let file = File::create(output).with_context(|| output.display().to_string())?;
    let mut child = program
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot start `{name}`"))?;
    let began = Instant::now();
    let ending = loop {
        if let Some(status) = child.try_wait()? {
            break match status.code() {
                Some(0) => Ending::Passed,
                Some(_) => Ending::Failed,
                None => Ending::Aborted,
            };
        }
        if began.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            break Ending::Hung;
        }
        thread::sleep(Duration::from_millis(2));
    };
    Ok((ending, began.elapsed()))
}

/// Sees every test that is named exist, and pass, on the untouched copy. What does not pass anyway shows nothing by failing.
fn examine(workshop: &Workshop, entries: &[Entry]) -> Result<BTreeMap<Test, Known>> {
    let tests: BTreeSet<&Test> = entries.iter().flat_map(|entry| &entry.tests).collect();
    let mut known = BTreeMap::new();
    let (mut jobs, mut wrong) = (Vec::new(), Vec::new());
    for build in Build::ALL {
        let targets: BTreeSet<&str> = tests.iter().flat_map(|test| build.targets(test)).collect();
        if targets.is_empty() {
            continue;
        }
        let programs = workshop.build(build, &targets)?;
        let mut listed = BTreeSet::new();
        for (target, program) in &programs {
            let list = util::output(Command::new(program).arg("--list"), MOST_LIMIT)?;
            for line in String::from_utf8_lossy(&list).lines() {
                if let Some(name) = line.strip_suffix(": test") {
                    listed.insert((target.clone(), name.to_owned()));
                }
            }
        }
        for test in &tests {
            let targets = build.targets(test);
            let has_it =
                |target: &&str| listed.contains(&((*target).to_owned(), test.name.clone()));
            match targets.iter().copied().find(has_it) {
                Some(target) => jobs.push((build, target, programs[target].clone(), *test)),
                None if targets.is_empty() => {}
                None => wrong.push(format!("{test}: there is no such test")),
            }
        }
    }

    step(format!("{} tests on the untouched copy", jobs.len()));
    let runs: Vec<Job> = jobs
        .iter()
        .map(|(_, _, program, test)| {
            Ok(Job {
                program: program.clone(),
                name: test.name.clone(),
                limit: MOST_LIMIT,
                output: workshop.output("untouched", &test.to_string())?,
            })
        })
        .collect::<Result<_>>()?;
    let endings = run_all(&runs)?;
    for ((build, target, _, test), (ending, took)) in jobs.into_iter().zip(endings) {
        if ending != Ending::Passed {
            wrong.push(format!("{test}: {ending:?} with every guard in place"));
        }
        let limit = (10 * took).clamp(LEAST_LIMIT, MOST_LIMIT);
        known.insert(
            test.clone(),
            Known {
                build,
                target: target.to_owned(),
                limit,
            },
        );
    }

    let names: Vec<&str> = tests
        .iter()
        .filter(|test| test.suite == Suite::Ui)
        .map(|test| test.name.as_str())
        .collect();
    if !names.is_empty() {
        step(format!("{} programs on the untouched copy", names.len()));
        let said = workshop.ui("untouched", &names)?;
        for name in names {
            match verdict(&said, name) {
                Some(Verdict::AsExpected) => {}
                Some(other) => wrong.push(format!("ui: {name}: {other:?} with every guard")),
                None => wrong.push(format!("ui: {name}: there is no such program")),
            }
        }
    }
    ensure!(
        wrong.is_empty(),
        "the tests do not pass as it is (what they printed: {}):\n  {}",
        workshop.output.join("untouched").display(),
        wrong.join("\n  ")
    );
    Ok(known)
}

/// Takes a guard away and runs its tests; says how they failed. An error if they did not.
fn take_away(workshop: &Workshop, entry: &Entry, known: &BTreeMap<Test, Known>) -> Result<String> {
    let _weakened = workshop.weakened(entry)?;
    let mut uncaught = Vec::new();

    let mut jobs = Vec::new();
    for build in Build::ALL {
        let tests: Vec<(&Test, &Known)> = entry
            .tests
            .iter()
            .filter_map(|test| Some((test, known.get(test)?)))
            .filter(|(_, known)| known.build == build)
            .collect();
        if tests.is_empty() {
            continue;
        }
        let targets = tests
            .iter()
            .map(|(_, known)| known.target.as_str())
            .collect();
        let programs = workshop
            .build(build, &targets)
            .context("the weakened tree does not build")?;
        for (test, known) in tests {
            jobs.push(Job {
                program: programs[&known.target].clone(),
                name: test.name.clone(),
                limit: known.limit,
                output: workshop.output(&entry.id, &test.to_string())?,
            });
        }
    }
    let mut failed = 0;
    let mut hung = 0;
    let mut aborted = 0;
    for (job, (ending, _)) in jobs.iter().zip(run_all(&jobs)?) {
        match ending {
            Ending::Passed => uncaught.push(format!("{} passes", job.name)),
            Ending::Failed => failed += 1,
            Ending::Aborted => aborted += 1,
            Ending::Hung => hung += 1,
        }
    }

    let names: Vec<&str> = entry
        .tests
        .iter()
        .filter(|test| test.suite == Suite::Ui)
        .map(|test| test.name.as_str())
        .collect();
    if !names.is_empty() {
        let said = workshop.ui(&entry.id, &names)?;
        for name in names {
            match verdict(&said, name) {
                Some(Verdict::Accepted) => failed += 1,
                Some(Verdict::AsExpected) => uncaught.push(format!("{name} is still refused")),
                Some(Verdict::RefusedOtherwise) => {
                    uncaught.push(format!("{name} is still refused, in other words"));
                }
                None => uncaught.push(format!("{name} was not tried")),
            }
        }
    }
    ensure!(uncaught.is_empty(), "{}", uncaught.join("; "));
    Ok(caught(failed, aborted, hung))
}

fn caught(failed: usize, aborted: usize, hung: usize) -> String {
    let mut text = match failed + aborted + hung {
        1 => "caught by 1 test".to_owned(),
        all => format!("caught by {all} tests"),
    };
    let ways: Vec<String> = [(aborted, "aborted"), (hung, "hung")]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, way)| format!("{count} {way}"))
        .collect();
    if !ways.is_empty() {
        text.push_str(&format!(" ({})", ways.join(", ")));
    }
    text
}

/// What trybuild says of a program, in the text that it printed.
fn verdict(said: &str, name: &str) -> Option<Verdict> {
    let mut lines = said.lines();
    let first = lines.find_map(|line| {
        let (path, rest) = line.strip_prefix("test ")?.split_once(".rs")?;
        // Copies of the programs have a longer path.
        let own = path == name || path.ends_with(&format!("/{name}"));
        let (_, first) = rest.split_once(" ... ").filter(|_| own)?;
        Some(first.trim())
    })?;
    let more = lines.take_while(|line| !line.starts_with("test "));
    // Where the compiler is another than the one of the messages, these are written down anew: `wip`.
    Some(if matches!(first, "ok" | "wip") {
        Verdict::AsExpected
    } else if more
        .into_iter()
        .any(|line| line.starts_with("Expected test case to fail to compile, but it succeeded"))
    {
        Verdict::Accepted
    } else {
        Verdict::RefusedOtherwise
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "\
# Guards

Text, with ### in it, and a block that is no entry:

```sh
cargo xtask guards
```

### first-one

A `set` is not published by `Release`. `src/a.rs`

```diff
 before
-    old
+    new
@@
+added

 after
```

Fails:
- `models::of_loom`
- `timer: host::test` (hangs)
- `ui: brand/program`

Then text, with
- `no test`

### second

First `src/b.rs`:

```diff
-x
```

then `tests/c.rs`:

```diff
-y
+z
```

Not detected: redundant.

## Something else

### third

In `src/d.rs`

```diff
-x
```

Fails:

- `lib: unit`
";

    fn the_entry(text: &str) -> Result<Entry> {
        let entry = parse("test", text)?.pop();
        entry.context("no entry")
    }

    #[test]
    fn entries_are_read() {
        let entries = parse("test", DOCUMENT).unwrap();
        let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids, ["first-one", "second", "third"]);
        let [first, second, third] = &entries[..] else {
            unreachable!()
        };
        let hunk = |old: &str, new: &str| Hunk {
            old: old.into(),
            new: new.into(),
        };
        assert_eq!(
            first.edits,
            [Edit {
                path: "src/a.rs".into(),
                hunks: vec![
                    hunk("before\n    old\n", "before\n    new\n"),
                    hunk("\nafter\n", "added\n\nafter\n"),
                ],
            }]
        );
        let named: Vec<String> = first.tests.iter().map(Test::to_string).collect();
        assert_eq!(
            named,
            ["models::of_loom", "timer: host::test", "ui: brand/program"]
        );
        let suites: Vec<&Suite> = first.tests.iter().map(|test| &test.suite).collect();
        assert_eq!(
            suites,
            [&Suite::Loom, &Suite::Program("timer".into()), &Suite::Ui]
        );
        let paths: Vec<&str> = second.edits.iter().map(|e| e.path.as_str()).collect();
        assert_eq!(paths, ["src/b.rs", "tests/c.rs"]);
        assert_eq!(second.edits[0].hunks, [hunk("x\n", "")]);
        assert!(second.tests.is_empty());
        assert_eq!(third.tests, [test("lib: unit")]);
    }

    #[test]
    fn broken_entries_are_refused() {
        for (text, why) in [
            ("### a b\n", "letters"),
            ("### a\n`src/a.rs`\n", "no diff"),
            (
                "### a\nNo file.\n```diff\n-x\n```\nFails:\n- `t`\n",
                "no file",
            ),
            ("### a\n`src/a.rs`\n```diff\n-x\n", "does not end"),
            ("### a\n`src/a.rs`\n```diff\n-x\n```\n", "either"),
            (
                "### a\n`src/a.rs`\n```diff\n-x\n```\nNot detected: no.\nFails:\n- `t`\n",
                "either",
            ),
            (
                "### a\n`src/a.rs`\n```diff\n-x\n```\nFails:\n- t\n",
                "no `test`",
            ),
            (
                "### a\n`src/a.rs`\n```diff\n+x\n```\nFails:\n- `t`\n",
                "no place",
            ),
            (
                "### a\n`src/a.rs`\n```diff\n x\n```\nFails:\n- `t`\n",
                "nothing",
            ),
            (
                "### a\n`src/a.rs`\n```diff\nx\n```\nFails:\n- `t`\n",
                "neither",
            ),
        ] {
            let error = format!("{:#}", the_entry(text).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn old_text_must_be_there_once_as_whole_lines() {
        let hunks = |lines: &[&str]| parse_diff(lines).unwrap();
        let text = "a\n  b\nbc\n  b\nd\n";
        assert_eq!(
            apply(text, &hunks(&["-d", "+e", "@@", "-bc"])).unwrap(),
            "a\n  b\n  b\ne\n"
        );
        assert_eq!(
            apply(text, &hunks(&[" a", "-  b"])).unwrap(),
            "a\nbc\n  b\nd\n"
        );
        for (lines, why) in [
            (&["-  b"][..], "more than once"),
            (&["-b"], "not there"),
            (&["- b"], "not there"),
            (&[" a", "-d"], "not there"),
            (&["-a", "-  b", "@@", "-  b", "-bc"], "overlap"),
        ] {
            let error = apply(text, &hunks(lines)).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn programs_are_found_in_the_messages() {
        let messages = r#"{"reason":"x","target":{"kind":["lib"],"name":"a"},"executable":null}
{"reason":"x","target":{"kind":["lib"],"name":"a"},"executable":"/a-1"}
{"reason":"x","target":{"kind":["example"],"name":"timer"},"executable":"/e"}
{"reason":"x","target":{"kind":["test"],"name":"timer"},"executable":"/t-1"}
{"reason":"build-finished","success":true}"#;
        let found = executables(messages);
        let found: Vec<_> = found.iter().map(|(n, p)| (n.as_str(), p)).collect();
        assert_eq!(
            found,
            [
                ("lib", &PathBuf::from("/a-1")),
                ("timer", &PathBuf::from("/t-1"))
            ]
        );
    }

    #[test]
    fn what_trybuild_says_is_understood() {
        let said = "\
test accept/enter.rs [should pass] ... ok
test brand/a.rs [should fail to compile] ... error
Expected test case to fail to compile, but it succeeded.

test brand/b.rs [should fail to compile] ... mismatch

EXPECTED:
test brand/c.rs ... ok
test /copies/ui/brand/d.rs [should fail to compile] ... wip
";
        for (name, expected) in [
            ("accept/enter", Some(Verdict::AsExpected)),
            ("brand/a", Some(Verdict::Accepted)),
            ("brand/b", Some(Verdict::RefusedOtherwise)),
            ("brand/c", Some(Verdict::AsExpected)),
            ("brand/d", Some(Verdict::AsExpected)),
            ("brand/e", None),
            ("rand/a", None),
        ] {
            assert_eq!(verdict(said, name), expected, "{name}");
        }
    }

    #[test]
    fn a_test_ends_in_one_of_four_ways() {
        let folder = std::env::temp_dir().join(format!("guards-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (script, limit, expected) in [
            ("exit 0", 60_000, Ending::Passed),
            ("exit 101", 60_000, Ending::Failed),
            ("kill -ABRT $$", 60_000, Ending::Aborted),
            ("exec sleep 60", 100, Ending::Hung),
        ] {
            let mut sh = Command::new("sh");
            sh.args(["-c", script]);
            let (ending, _) =
                finish(sh, Duration::from_millis(limit), &folder.join("output")).unwrap();
            assert_eq!(ending, expected, "{script}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_projects_own_entries_are_well_formed_and_apply() {
        let entries = load().unwrap();
        assert!(entries.len() > 50);
        for entry in entries {
            for edit in &entry.edits {
                let text = fs::read_to_string(util::root().join(&edit.path)).unwrap();
                if let Err(error) = apply(&text, &edit.hunks) {
                    panic!("{}: {}: {error}", entry.id, edit.path);
                }
            }
        }
    }
}
