//! Instructions, counted by valgrind: the difference of two runs of this program that differ in nothing but the number of operations.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::{env, io, thread};

use driver_scope_benches::progress::Progress;

use super::candidates::{self, Candidate};
use super::measure::PENDING;
use super::subject::{Mix, Op};

/// How many operations the two runs do.
const CALLS: [u64; 2] = [1_000, 21_000];

/// Instructions for an operation, loop included.
#[derive(Default)]
pub struct Counts(BTreeMap<(String, Op, Mix, usize), f64>);

impl Counts {
    pub fn get(&self, id: &str, op: Op, mix: Mix, pending: usize) -> Option<f64> {
        self.0.get(&(id.to_owned(), op, mix, pending)).copied()
    }
}

/// `--count <candidate> <operation> <mix> <pending> <calls>`: what valgrind runs.
pub fn child(args: &[String]) -> ExitCode {
    let [id, op, mix, pending, calls] = args else {
        eprintln!("usage: --count <candidate> <operation> <mix> <pending> <calls>");
        return ExitCode::FAILURE;
    };
    let op = Op::ALL.into_iter().find(|o| o.name() == op);
    let mix = Mix::ALL.into_iter().find(|m| m.name() == mix);
    let candidate = candidates::all().into_iter().find(|c| c.id == *id);
    let (Some(op), Some(mix), Some(candidate), Ok(pending), Ok(calls)) =
        (op, mix, candidate, pending.parse(), calls.parse())
    else {
        eprintln!("no such candidate, operation, mix or number");
        return ExitCode::FAILURE;
    };
    let subject = candidate.make(pending);
    subject.fill(pending, mix);
    subject.run(op, mix, 0, 1, calls, 3);
    // Taking it apart is no part of what is counted.
    std::mem::forget(subject);
    ExitCode::SUCCESS
}

/// Counts them all, two at a time. Says loudly what could not be counted.
pub fn all(candidates: &[Candidate]) -> Counts {
    if let Err(error) = Command::new("valgrind").arg("--version").output() {
        println!("NOT COUNTED: no instructions, since valgrind does not run here: {error}\n");
        return Counts::default();
    }
    let mut jobs = Vec::new();
    for candidate in candidates {
        for op in Op::ALL {
            for pending in PENDING {
                for mix in Mix::ALL {
                    // Near and far at one size only, or it would take an hour.
                    let wanted = mix == Mix::Mixed || pending == 10_000;
                    // A walk over a list of a million needs no count.
                    let bounded = candidate.id != "embassy" || pending <= 100;
                    if wanted && bounded && candidate.can(op) && pending <= candidate.most {
                        jobs.push((candidate.id, op, mix, pending));
                    }
                }
            }
        }
    }
    let next = AtomicUsize::new(0);
    let progress = Mutex::new(Progress::new("counting instructions", jobs.len()));
    let found = Mutex::new(Counts::default());
    let work = || {
        while let Some(&(id, op, mix, pending)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let count = count(id, op, mix, pending);
            // A worker that panicked has said so.
            progress.lock().expect("no panic").step();
            match count {
                Ok(count) => {
                    let key = (id.to_owned(), op, mix, pending);
                    found.lock().expect("no panic").0.insert(key, count);
                }
                Err(error) => println!("NOT COUNTED: {id}, {}: {error}", op.name()),
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    found.into_inner().expect("no panic")
}

fn count(id: &str, op: Op, mix: Mix, pending: usize) -> io::Result<f64> {
    let few = run(id, op, mix, pending, CALLS[0])?;
    let many = run(id, op, mix, pending, CALLS[1])?;
    Ok((many - few) / (CALLS[1] - CALLS[0]) as f64)
}

fn run(id: &str, op: Op, mix: Mix, pending: usize, calls: u64) -> io::Result<f64> {
    let output = Command::new("valgrind")
        .args([
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
        ])
        .arg(env::current_exe()?)
        .args(["--count", id, op.name(), mix.name()])
        .args([pending.to_string(), calls.to_string()])
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(io::Error::other(format!("{}: {told}", output.status)));
    }
    // ==123== I   refs:      1,234,567
    told.lines()
        .find_map(|line| line.split_once("refs:"))
        .and_then(|(_, number)| number.trim().replace(',', "").parse().ok())
        .ok_or_else(|| io::Error::other(format!("no count in what valgrind said: {told}")))
}
