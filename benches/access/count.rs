//! Instructions, counted by valgrind: the difference of two runs of this program that differ in nothing but the number of calls.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::time::Duration;
use std::{env, io, thread};

use driver_scope_benches::batch::{Batch, Form};
use driver_scope_benches::platform;
use driver_scope_benches::progress::Progress;

use super::candidates::{self, Candidate};

/// How many calls the two runs make: so many more that what differs in the start of a program does not show.
const CALLS: [u64; 2] = [1_000, 101_000];

/// What the child says when strategy (c) is itself under valgrind.
const BARRIER_WORKS: &str = "membarrier works";

/// Instructions for a call, loop included.
#[derive(Default)]
pub struct Counts(BTreeMap<(String, &'static str), f64>);

impl Counts {
    pub fn get(&self, id: &str, form: Form) -> Option<f64> {
        self.0.get(&(id.to_owned(), form.name())).copied()
    }

    /// For a table.
    pub fn shown(&self, id: &str, form: Form) -> String {
        match self.get(id, form) {
            None => "not counted".to_owned(),
            // What does not come at every call makes it no whole number.
            Some(count) if (count - count.round()).abs() < 0.02 => format!("{count:.0}"),
            Some(count) => format!("{count:.2}"),
        }
    }
}

/// `--count <candidate> <form> <calls>`: what valgrind runs.
pub fn child(args: &[String]) -> ExitCode {
    let [id, form, calls] = args else {
        eprintln!("usage: --count <candidate> called|inlined <calls>");
        return ExitCode::FAILURE;
    };
    let form = Form::ALL.into_iter().find(|f| f.name() == form);
    let candidate = candidates::all().into_iter().find(|c| c.id == *id);
    let (Some(form), Some(candidate), Ok(calls)) = (form, candidate, calls.parse()) else {
        eprintln!("no such candidate, form or number");
        return ExitCode::FAILURE;
    };
    if platform::membarrier_works() {
        println!("{BARRIER_WORKS}");
    }
    let subject = candidate.make();
    // The platform's threads come to rest, so that both runs count all of what they do at first.
    thread::sleep(Duration::from_millis(50));
    let tally = subject.batch(Batch(form, calls));
    assert_eq!(tally.sum, candidate.expected(calls), "{id}: a wrong sum");
    ExitCode::SUCCESS
}

/// Counts them all, two at a time. Says loudly what could not be counted.
pub fn all(candidates: &[Candidate]) -> Counts {
    if let Err(error) = Command::new("valgrind").arg("--version").output() {
        println!("NOT COUNTED: no instructions, since valgrind does not run here: {error}\n");
        return Counts(BTreeMap::new());
    }
    let jobs: Vec<(&str, Form)> = candidates
        .iter()
        .flat_map(|candidate| Form::ALL.map(|form| (candidate.id.as_str(), form)))
        .collect();
    let next = AtomicUsize::new(0);
    let progress = Mutex::new(Progress::new("counting instructions", jobs.len()));
    let found = Mutex::new(Counts(BTreeMap::new()));
    let work = || {
        while let Some(&(id, form)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let count = count(id, form);
            // A worker that panicked has said so.
            progress.lock().expect("no panic").step();
            match count {
                Ok(count) => {
                    let key = (id.to_owned(), form.name());
                    found.lock().expect("no panic").0.insert(key, count);
                }
                Err(error) => println!("NOT COUNTED: {id}, {}: {error}", form.name()),
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let counts = found.into_inner().expect("no panic");
    let of = |id| counts.get(id, Form::Called);
    if let (Some(b), Some(c)) = (of("revocable-b"), of("revocable-c")) {
        if c >= b {
            println!("NOT TO BE TRUSTED: (c) has as many instructions as (b): it has taken its slow path\n");
        }
    }
    counts
}

fn count(id: &str, form: Form) -> io::Result<f64> {
    let few = run(id, form, CALLS[0])?;
    let many = run(id, form, CALLS[1])?;
    Ok((many - few) / (CALLS[1] - CALLS[0]) as f64)
}

fn run(id: &str, form: Form, calls: u64) -> io::Result<f64> {
    let output = Command::new("valgrind")
        .args([
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
        ])
        .arg(env::current_exe()?)
        .args(["--count", id, form.name(), &calls.to_string()])
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(io::Error::other(format!("{}: {told}", output.status)));
    }
    if !String::from_utf8_lossy(&output.stdout).contains(BARRIER_WORKS) {
        return Err(io::Error::other(
            "membarrier(2) does not work under this valgrind, so (c) would not be what is counted",
        ));
    }
    // ==123== I   refs:      1,234,567
    told.lines()
        .find_map(|line| line.split_once("refs:"))
        .and_then(|(_, number)| number.trim().replace(',', "").parse().ok())
        .ok_or_else(|| io::Error::other(format!("no count in what valgrind said: {told}")))
}
