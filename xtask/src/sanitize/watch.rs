//! Running the programs, and gathering what is reported of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::known::{self, Known};
use super::mode::{Mode, Tools};
use super::reports;
use super::suite::{self, Program};
use crate::guards::{finish, Ending};

/// So often those that still run are told.
const OFTEN: Duration = Duration::from_secs(30);

/// What was seen of a program.
#[derive(Debug)]
pub struct Seen {
    pub path: String,
    pub ending: Ending,
    /// How many tests ran; 1 for a program that is no harness.
    pub tests: usize,
    /// How many did not, by the harness's own account.
    pub skipped: usize,
    pub reports: Vec<String>,
    /// Which known reports were not made, and how often.
    pub known: BTreeMap<String, usize>,
    pub took: Duration,
    /// The last of what it printed, if it failed.
    said: String,
}

impl Seen {
    #[cfg(test)]
    pub fn of(path: &str) -> Self {
        Seen {
            path: path.into(),
            ending: Ending::Passed,
            tests: 1,
            skipped: 0,
            reports: Vec::new(),
            known: BTreeMap::new(),
            took: Duration::ZERO,
            said: String::new(),
        }
    }

    pub fn is_well(&self) -> bool {
        self.ending == Ending::Passed && self.reports.is_empty()
    }

    /// It in a line, and more if it failed.
    pub fn line(&self) -> String {
        let (tests, seconds) = (self.tests, self.took.as_secs_f64());
        let mut line = format!("{}: {tests} tests, {seconds:.1} s", self.path);
        if self.skipped > 0 {
            line += &format!(", {} skipped", self.skipped);
        }
        if !self.reports.is_empty() {
            line += &format!(", {} REPORTS", self.reports.len());
        }
        if self.ending != Ending::Passed {
            line += &format!(", {:?}{}", self.ending, self.said);
        }
        line
    }
}

/// Runs them all, tells of each, and returns what was seen.
pub fn all(tools: &Tools, programs: &[Program], known: &[Known], logs: &Path) -> Result<Vec<Seen>> {
    let (sender, receiver) = mpsc::channel();
    let next = AtomicUsize::new(0);
    let mut all = Vec::new();
    thread::scope(|threads| {
        for _ in 0..tools.mode.at_once() {
            let sender = sender.clone();
            threads.spawn(|| {
                let sender = sender;
                while let Some((number, program)) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    programs.get(number).map(|program| (number, program))
                } {
                    let _ = sender.send((number, None));
                    let log = logs.join(program.path.replace('/', "_"));
                    let seen = one(tools, program, known, &log);
                    let _ = sender.send((number, Some(seen)));
                }
            });
        }
        drop(sender);
        let mut running = Vec::new();
        loop {
            match receiver.recv_timeout(OFTEN) {
                Ok((number, None)) => running.push(number),
                Ok((number, Some(seen))) => {
                    running.retain(|&other| other != number);
                    let seen = seen.with_context(|| programs[number].path.clone())?;
                    println!("  [{}/{}] {}", all.len() + 1, programs.len(), seen.line());
                    all.push(seen);
                }
                Err(RecvTimeoutError::Timeout) => {
                    let names: Vec<&str> = running
                        .iter()
                        .map(|&number| programs[number].path.as_str())
                        .collect();
                    println!("  still running: {}", names.join(", "));
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(all),
            }
        }
    })
}

/// Runs a program. What it prints goes to the file `log`, reports to files that begin so.
pub fn one(tools: &Tools, program: &Program, known: &[Known], log: &Path) -> Result<Seen> {
    let suppressions = log.with_extension("known");
    fs::write(
        &suppressions,
        known::suppressions(known, tools.mode, &program.path),
    )?;
    let reports = log.with_extension("report");
    let mut command = tools.runner(
        &program.executable,
        &reports,
        known::leaks(known, &program.path),
    );
    command
        .current_dir(&program.folder)
        .args(&program.args)
        // Many tests panic on purpose, which takes long if each is traced back.
        .env_remove("RUST_BACKTRACE")
        .envs(tools.environment(&reports, &suppressions));
    for test in known::skipped(known, tools.mode, &program.path) {
        command.args(["--skip", test]);
    }
    see(tools.mode, &program.path, program.harness, command, log)
}

/// Runs the code in the documentation, each piece in a process of its own.
pub fn documentation(tools: &Tools, known: &[Known], logs: &Path) -> Result<Seen> {
    let log = logs.join(suite::DOCUMENTATION);
    let suppressions = log.with_extension("known");
    fs::write(
        &suppressions,
        known::suppressions(known, tools.mode, suite::DOCUMENTATION),
    )?;
    let reports = log.with_extension("report");
    let mut cargo = tools.cargo("test");
    cargo
        .args([
            "--doc",
            "--package",
            "driver-scope",
            "--features",
            suite::FEATURES,
        ])
        .envs(tools.environment(&reports, &suppressions));
    if let Some((tool, args)) = tools.wrapper(&reports, false) {
        let mut flags = format!("--test-runtool={tool}");
        for arg in args {
            flags += &format!(" --test-runtool-arg={arg}");
        }
        cargo.env("RUSTDOCFLAGS", flags);
    }
    see(tools.mode, suite::DOCUMENTATION, true, cargo, &log)
}

/// Runs a command, whose reports go to files that begin as `log` does.
fn see(mode: Mode, path: &str, harness: bool, command: Command, log: &Path) -> Result<Seen> {
    let (ending, took) = finish(command, mode.limit(), log)?;
    let said = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    let (tests, skipped) = if harness { counted(&said) } else { (1, 0) };
    let mut seen = Seen {
        path: path.to_owned(),
        ending,
        tests,
        skipped,
        reports: Vec::new(),
        known: BTreeMap::new(),
        took,
        said: String::new(),
    };
    if ending != Ending::Passed {
        let lines: Vec<&str> = said.lines().collect();
        for line in &lines[lines.len().saturating_sub(20)..] {
            seen.said += &format!("\n    | {line}");
        }
    }
    let begin = log.with_extension("report.");
    let begin = begin
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    for file in fs::read_dir(log.parent().unwrap_or(Path::new(".")))? {
        let file = file?;
        if file.file_name().to_string_lossy().starts_with(&begin) {
            let text = String::from_utf8_lossy(&fs::read(file.path())?).into_owned();
            seen.reports.extend(reports::reports(&text));
            for (function, count) in reports::used(&text) {
                *seen.known.entry(function).or_default() += count;
            }
        }
    }
    Ok(seen)
}

/// How many tests ran and how many did not, as the harness says (once, or for the documentation several times).
fn counted(said: &str) -> (usize, usize) {
    let (mut ran, mut skipped) = (0, 0);
    for line in said
        .lines()
        .filter(|line| line.starts_with("test result: "))
    {
        for part in line.split(['.', ';']) {
            let words: Vec<&str> = part.split_whitespace().collect();
            if let [count, what, ..] = words[..] {
                let count = count.parse::<usize>().unwrap_or(0);
                match what {
                    "passed" | "failed" => ran += count,
                    "ignored" | "filtered" => skipped += count,
                    _ => {}
                }
            }
        }
    }
    (ran, skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted() {
        let said = "\nrunning 3 tests\n...\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.01s\n\
            test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.30s\n";
        assert_eq!(counted(said), (4, 5));
        assert_eq!(counted(""), (0, 0));
    }

    #[test]
    fn who_is_not_well_says_why() {
        let mut seen = Seen::of("tests/a.rs");
        assert!(seen.is_well());
        assert_eq!(seen.line(), "tests/a.rs: 1 tests, 0.0 s");
        seen.ending = Ending::Hung;
        assert!(!seen.is_well() && seen.line().contains("Hung"));
    }
}
