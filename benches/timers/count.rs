//! Instructions, counted by valgrind: the difference of two processes that differ in nothing but the number of operations. They are forks of one, in which the timers were
//! started: a million starts are the most of the work.

use std::collections::BTreeMap;
use std::process::{exit, Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::{env, io, thread};

use driver_scope_benches::progress::Progress;

use super::candidates::{self, Candidate};
use super::measure::PENDING;
use super::subject::{Mix, Op};

/// How many operations the two runs do.
const CALLS: [u64; 2] = [1_000, 21_000];

/// What the forks say of themselves, before valgrind does: process, operation, number.
const MARK: &str = "fork";

/// Instructions for an operation, loop included.
#[derive(Default)]
pub struct Counts(BTreeMap<(String, Op, Mix, usize), f64>);

impl Counts {
    pub fn get(&self, id: &str, op: Op, mix: Mix, pending: usize) -> Option<f64> {
        self.0.get(&(id.to_owned(), op, mix, pending)).copied()
    }
}

/// `--count <candidate> <mix> <pending> <operations, with commas>`: what valgrind runs.
pub fn child(args: &[String]) -> ExitCode {
    let [id, mix, pending, ops] = args else {
        eprintln!("usage: --count <candidate> <mix> <pending> <operations>");
        return ExitCode::FAILURE;
    };
    let find = |name: &str| Op::ALL.into_iter().find(|op| op.name() == name);
    let ops: Option<Vec<Op>> = ops.split(',').map(find).collect();
    let mix = Mix::ALL.into_iter().find(|m| m.name() == mix);
    let candidate = candidates::all().into_iter().find(|c| c.id == *id);
    let (Some(ops), Some(mix), Some(candidate), Ok(pending)) =
        (ops, mix, candidate, pending.parse())
    else {
        eprintln!("no such candidate, operation, mix or number");
        return ExitCode::FAILURE;
    };
    let subject = candidate.make(pending);
    subject.fill(pending, mix);
    let run = |op: Op, calls| -> ! {
        subject.run(op, mix, 0, 1, calls, 3);
        println!("{MARK} {} {} {calls}", std::process::id(), op.name());
        // Taking it apart is no part of what is counted.
        exit(0)
    };
    for op in ops {
        for calls in CALLS {
            // SAFETY: this process has one thread (see `jobs`), so the fork has all that there is.
            match unsafe { libc::fork() } {
                0 => run(op, calls),
                process => {
                    let mut status = 0;
                    // SAFETY: waits for that process, and writes to `status`.
                    let ended = unsafe { libc::waitpid(process, &raw mut status, 0) };
                    if process < 0 || ended != process || status != 0 {
                        eprintln!("the fork for {} ended with {status}", op.name());
                        return ExitCode::FAILURE;
                    }
                }
            }
        }
    }
    exit(0);
}

/// What is counted of one candidate, filled once.
struct Job {
    id: &'static str,
    ops: Vec<Op>,
    mix: Mix,
    pending: usize,
}

fn jobs(candidates: &[Candidate]) -> Vec<Job> {
    let mut jobs = Vec::new();
    for candidate in candidates {
        for pending in PENDING {
            for mix in Mix::ALL {
                // Near and far at one size only, or it would take too long.
                let wanted = mix == Mix::Mixed || pending == 10_000;
                // A walk over a list of a million needs no count.
                let bounded = candidate.id != "embassy" || pending <= 100;
                // What the kernel does is not seen, and what a thread of its own does hangs on how long all takes.
                let seen = !candidate.kernel && !candidate.threaded;
                if !wanted || !bounded || !seen || pending > candidate.most {
                    continue;
                }
                let ops = Op::ALL.into_iter().filter(|&op| candidate.can(op));
                jobs.push(Job {
                    id: candidate.id,
                    ops: ops.collect(),
                    mix,
                    pending,
                });
            }
        }
    }
    // The longest first, so that neither of two workers is left with one.
    jobs.sort_by_key(|job| std::cmp::Reverse(job.pending));
    jobs
}

/// Counts them all, two at a time. Says loudly what could not be counted.
pub fn all(candidates: &[Candidate]) -> Counts {
    if let Err(error) = Command::new("valgrind").arg("--version").output() {
        println!("NOT COUNTED: no instructions, since valgrind does not run here: {error}\n");
        return Counts::default();
    }
    let jobs = jobs(candidates);
    let next = AtomicUsize::new(0);
    let progress = Mutex::new(Progress::new("counting instructions", jobs.len()));
    let found = Mutex::new(Counts::default());
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let counted = count(job);
            // A worker that panicked has said so.
            progress.lock().expect("no panic").step();
            match counted {
                Ok(counted) => {
                    let mut found = found.lock().expect("no panic");
                    for (op, count) in counted {
                        let key = (job.id.to_owned(), op, job.mix, job.pending);
                        found.0.insert(key, count);
                    }
                }
                Err(error) => println!("NOT COUNTED: {}: {error}", job.id),
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    found.into_inner().expect("no panic")
}

fn count(job: &Job) -> io::Result<Vec<(Op, f64)>> {
    let ops: Vec<&str> = job.ops.iter().map(|op| op.name()).collect();
    let (said, told) = run(job, &ops.join(","))?;
    let missing = || io::Error::other(format!("no count in what valgrind said: {told}"));
    let of = |op: &Op, calls: u64| {
        let process = process(&said, op.name(), calls)?;
        counted(&told, process)
    };
    let each = |op: &Op| {
        let few = of(op, CALLS[0]).ok_or_else(missing)?;
        let many = of(op, CALLS[1]).ok_or_else(missing)?;
        Ok((*op, (many - few) / (CALLS[1] - CALLS[0]) as f64))
    };
    job.ops.iter().map(each).collect()
}

/// What this program said, run by valgrind, and what valgrind told.
fn run(job: &Job, ops: &str) -> io::Result<(String, String)> {
    let output = Command::new("valgrind")
        .args([
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
        ])
        .arg(env::current_exe()?)
        .args(["--count", job.id, job.mix.name(), &job.pending.to_string()])
        .arg(ops)
        .output()?;
    let [said, told] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    if output.status.success() {
        Ok((said, told))
    } else {
        Err(io::Error::other(format!("{}: {told}", output.status)))
    }
}

/// Which process did that: `fork 123 restart 1000`.
fn process<'a>(said: &'a str, op: &str, calls: u64) -> Option<&'a str> {
    said.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [MARK, process, of, many] if of == op && many == calls.to_string() => Some(process),
            _ => None,
        }
    })
}

/// What valgrind counted in it: `==123== I   refs:      1,234,567`. (What was before a fork is in it.)
fn counted(told: &str, process: &str) -> Option<f64> {
    let start = format!("=={process}== I");
    let line = told.lines().find(|line| line.starts_with(&start))?;
    let (_, number) = line.split_once("refs:")?;
    number.trim().replace(',', "").parse().ok()
}
