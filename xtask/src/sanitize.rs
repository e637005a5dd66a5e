//! `cargo xtask sanitize`: the whole suite under AddressSanitizer, ThreadSanitizer, LeakSanitizer and valgrind.
//!
//! The suite is the tests of the crate and of the drivers (behaviour, units, documentation), the examples, and the programs of `ui-tests` that are accepted. Each
//! mode builds it in its own way, and first has to report the bugs of `tests/deliberate`: who does not see those is blind, and his silence says nothing. What
//! is reported and meant to be is in `sanitize/known.txt`, by program and function; what is in there and no longer reported is a failure, too.

mod known;
mod mode;
mod reports;
mod suite;
mod watch;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Context, Result};

use crate::util::{self, step};
use mode::{Mode, Tools};
use suite::{Extent, Program};
use watch::Seen;

const USAGE: &str =
    "usage: cargo xtask sanitize [address|thread|leak|valgrind] [part of a program's path]";

/// What a mode had to do with, and what it found.
struct Outcome {
    mode: Mode,
    seen: Vec<Seen>,
    /// What is wrong besides what was seen of single programs.
    wrong: Vec<String>,
    took: Duration,
}

pub fn run(args: &[String]) -> Result<()> {
    let (modes, rest) = match args {
        [name, rest @ ..] if Mode::by_name(name).is_some() => {
            (Vec::from_iter(Mode::by_name(name)), rest)
        }
        rest => (Mode::ALL.to_vec(), rest),
    };
    let part = match rest {
        [] => None,
        [part] if !part.starts_with('-') => Some(part.as_str()),
        _ => bail!(USAGE),
    };
    let outcomes: Vec<Outcome> = modes
        .into_iter()
        .map(|mode| attempt(mode, Extent::All, part))
        .collect();
    conclude(&outcomes)
}

/// For `cargo xtask test`: the tests alone, once, with AddressSanitizer and leak detection.
pub fn tests() -> Result<()> {
    conclude(&[attempt(Mode::Leak, Extent::Tests, None)])
}

/// Why the small form cannot run here.
pub fn missing() -> Option<String> {
    Mode::Leak.prepare().err().map(|error| format!("{error:#}"))
}

fn attempt(mode: Mode, extent: Extent, part: Option<&str>) -> Outcome {
    let started = Instant::now();
    step(format!("== {}", mode.title()));
    let mut outcome = Outcome {
        mode,
        seen: Vec::new(),
        wrong: Vec::new(),
        took: Duration::ZERO,
    };
    if let Err(error) = look(&mut outcome, extent, part) {
        println!("FAILED: {error:#}");
        outcome.wrong.push(format!("{error:#}"));
    }
    outcome.took = started.elapsed();
    outcome
}

fn look(outcome: &mut Outcome, extent: Extent, part: Option<&str>) -> Result<()> {
    let mode = outcome.mode;
    let chosen = |path: &str| part.is_none_or(|part| path.contains(part));
    let tools = mode.prepare()?;
    let logs = logs(mode)?;
    let known = known::load()?;
    prove_sight(&tools, &logs)?;

    step("building the suite");
    let mut programs = suite::build(&tools, extent)?;
    programs.retain(|program| chosen(&program.path));
    outcome.seen = watch::all(&tools, &programs, &known, &logs)?;
    if extent == Extent::All && chosen(suite::DOCUMENTATION) {
        step("the code in the documentation");
        let seen = watch::documentation(&tools, &known, &logs)?;
        println!("  {}", seen.line());
        outcome.seen.push(seen);
    }
    let ran = outcome.seen.iter().map(|seen| seen.tests).sum::<usize>();
    ensure!(ran > 0, "no test ran in {} programs", outcome.seen.len());
    for stale in known::stale(&known, mode, &outcome.seen) {
        outcome.wrong.push(format!(
            "{stale} is in known.txt, but was not reported this time"
        ));
    }
    Ok(())
}

/// Has the mode look at bugs that are there.
fn prove_sight(tools: &Tools, logs: &std::path::Path) -> Result<()> {
    let program = suite::deliberate(tools)?;
    let see = |bug: &str| -> Result<Seen> {
        let with = Program {
            args: vec![bug.to_owned()],
            ..program.clone()
        };
        watch::one(tools, &with, &[], &logs.join(format!("deliberate-{bug}")))
    };
    let nothing = see("nothing")?;
    ensure!(
        nothing.is_well(),
        "{} complains of a program that does nothing: {}",
        tools.mode.title(),
        nothing.line()
    );
    for (bug, words) in tools.mode.bugs() {
        let seen = see(bug)?;
        ensure!(
            seen.reports.iter().any(|report| report.contains(words)),
            "{} is blind: it does not report the {bug} of tests/deliberate as `{words}`, but: {}",
            tools.mode.title(),
            seen.line()
        );
    }
    let bugs: Vec<&str> = tools.mode.bugs().iter().map(|(bug, _)| *bug).collect();
    step(format!("it sees: {}", bugs.join(", ")));
    Ok(())
}

/// Where what the programs and the tools say is kept.
fn logs(mode: Mode) -> Result<PathBuf> {
    let logs = util::target_dir()?
        .join("sanitize")
        .join("logs")
        .join(mode.name());
    // What earlier runs said would be taken for this one's.
    let _ = fs::remove_dir_all(&logs);
    fs::create_dir_all(&logs).with_context(|| logs.display().to_string())?;
    Ok(logs)
}

fn conclude(outcomes: &[Outcome]) -> Result<()> {
    let mut failures = Vec::new();
    for outcome in outcomes {
        let name = outcome.mode.name();
        failures.extend(outcome.wrong.iter().map(|wrong| format!("{name}: {wrong}")));
        for seen in outcome.seen.iter().filter(|seen| !seen.is_well()) {
            let reports: String = seen
                .reports
                .iter()
                .map(|report| format!("\n{report}"))
                .collect();
            failures.push(format!("{name}: {}{reports}", seen.line()));
        }
    }
    if !failures.is_empty() {
        println!("\n== What failed");
        for failure in &failures {
            println!("\n- {failure}");
        }
    }
    println!("\n  mode       programs   tests   skipped   reports   known   failed     time");
    for outcome in outcomes {
        let sum = |of: fn(&Seen) -> usize| outcome.seen.iter().map(of).sum::<usize>();
        println!(
            "  {:<10} {:>8} {:>7} {:>9} {:>9} {:>7} {:>8} {:>6.0} s",
            outcome.mode.name(),
            outcome.seen.len(),
            sum(|seen| seen.tests),
            sum(|seen| seen.skipped),
            sum(|seen| seen.reports.len()),
            sum(|seen| seen.known.values().sum()),
            sum(|seen| usize::from(!seen.is_well())) + outcome.wrong.len(),
            outcome.took.as_secs_f64(),
        );
    }
    println!();
    ensure!(failures.is_empty(), "{} failures", failures.len());
    println!("nothing was reported that is not known");
    Ok(())
}
