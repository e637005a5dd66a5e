//! `cargo xtask guards`: takes each guard away, and sees the tests that are named for it fail.
//!
//! A guard is what keeps the crate sound or a program from hanging: a bound, a mark, a wait. `tests/GUARDS.md` and
//! `tests/loom/README.md` say of each how it is taken away, as an exact diff, and which tests notice; the first says how an
//! entry is written. A test that nobody has seen fail says little, and neither does one that was seen to fail a year ago.
//!
//! All of it happens on a copy of the tree: the files that git knows, and new ones that it does not ignore. What the tests
//! printed is kept beside the copy.

pub(crate) mod copy;
mod entries;
#[cfg(test)]
mod tests;
pub(crate) mod verdicts;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Result};

use copy::Workshop;
use entries::{load, Entry};
use verdicts::{examine, take_away};
// Running one test program is the same wherever it is done.
pub(crate) use verdicts::{finish, Ending};

const USAGE: &str = "usage: cargo xtask guards [part of an id] [--list]";

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
    let workshop = Workshop::set_up("guards")?;
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
