//! Running tests, with and without their guard, and what becomes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};

use crate::util::{self, step};

use super::copy::*;
use super::entries::*;

/// A test that lasts ten times as long as on the untouched copy hangs. But no verdict before this: the machine may be loaded.
pub(super) const LEAST_LIMIT: Duration = Duration::from_secs(15);

/// No test may last longer than this, with or without its guard.
pub(super) const MOST_LIMIT: Duration = Duration::from_secs(60);

/// A test program to be run for one test.
pub(super) struct Job {
    pub(super) program: PathBuf,
    pub(super) name: String,
    pub(super) limit: Duration,
    pub(super) output: PathBuf,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Passed,
    Failed,
    /// By a signal: what fails inside an `extern "C"` function aborts.
    Aborted,
    /// It did not, until it was ended.
    Hung,
}

/// What trybuild says of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was refused as it should be; or accepted, if it should be.
    AsExpected,
    /// It was accepted, and should not be.
    Accepted,
    /// It was refused, for another reason than the one that is known of it.
    RefusedOtherwise,
}

/// What is known of a test from the untouched copy.
pub(super) struct Known {
    pub(super) build: Build,
    pub(super) target: String,
    pub(super) limit: Duration,
}

/// Each test in a process of its own: some end by an abort, and some not at all.
pub(super) fn run_all(jobs: &[Job]) -> Result<Vec<(Ending, Duration)>> {
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
pub(crate) fn finish(
    mut program: Command,
    limit: Duration,
    output: &Path,
) -> Result<(Ending, Duration)> {
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
pub(super) fn examine(workshop: &Workshop, entries: &[Entry]) -> Result<BTreeMap<Test, Known>> {
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

    let names = names_of(tests.iter().copied(), &Suite::Ui);
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
    let checks = names_of(tests.iter().copied(), &Suite::Bare);
    if !checks.is_empty() {
        step(format!("{} checks of the bare machine", checks.len()));
        for name in workshop.bare("untouched", &checks)? {
            wrong.push(format!("bare: {name}: not passed with every guard"));
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
pub(super) fn take_away(
    workshop: &Workshop,
    entry: &Entry,
    known: &BTreeMap<Test, Known>,
) -> Result<String> {
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

    let names = names_of(&entry.tests, &Suite::Ui);
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
    let checks = names_of(&entry.tests, &Suite::Bare);
    if !checks.is_empty() {
        let not_passed = workshop.bare(&entry.id, &checks)?;
        failed += not_passed.len();
        let passes = checks.iter().filter(|name| !not_passed.contains(name));
        uncaught.extend(passes.map(|name| format!("{name} passes")));
    }
    ensure!(uncaught.is_empty(), "{}", uncaught.join("; "));
    Ok(caught(failed, aborted, hung))
}

/// The names of those tests that are of this suite.
fn names_of<'a>(tests: impl IntoIterator<Item = &'a Test>, suite: &Suite) -> Vec<&'a str> {
    let of_suite = tests.into_iter().filter(|test| test.suite == *suite);
    of_suite.map(|test| test.name.as_str()).collect()
}

pub(super) fn caught(failed: usize, aborted: usize, hung: usize) -> String {
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

/// What trybuild said, without what the test harness says in the middle of its lines once the programs take long.
pub(super) fn without_notice(said: &str) -> String {
    said.replace("test ui has been running for over 60 seconds\n", "")
}

/// What trybuild says of a program, in the text that it printed.
pub(super) fn verdict(said: &str, name: &str) -> Option<Verdict> {
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
