//! `cargo xtask corpus`: the programs of `ui-tests/` are refused by the nightly compiler as well, and in each edition that a driver may be written in.
//!
//! The UI tests compare each message to the letter, with one compiler and in one edition. Here it is asked whether a program is refused at all, and the
//! first lines of its errors are compared with those that are kept: another compiler may well say the same in other words, which is told; but it must not
//! accept a program. Each program is given to rustc by itself, without cargo, which takes a fraction of a second.
//!
//! Two kinds of programs are there for comparison. Those in `accept/` must be accepted, or a refusal shows nothing. Those in `rustc/` are accepted by
//! rustc's own mistakes; should a compiler refuse one, this says so.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;

use crate::util::{self, step};

mod programs;

use programs::{judge, programs, Kind, Program, Verdict};

const USAGE: &str = "usage: cargo xtask corpus [part of a program's path]";
/// For the libraries that the programs use.
const BUILD: Duration = Duration::from_secs(600);
/// What a program may use, by the names that `--extern` takes.
const LIBRARIES: [&str; 4] = ["driver_scope", "ui_tests", "safe_mmio", "zerocopy"];
/// Those that a driver may be written in.
const EDITIONS: [&str; 2] = ["2021", "2024"];
/// How often there is a line of progress.
const OFTEN: Duration = Duration::from_secs(10);

/// A compiler: the one that runs this task, or another toolchain of rustup.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Compiler(Option<&'static str>);

const NIGHTLY: Compiler = Compiler(Some("nightly"));
const COMPILERS: [Compiler; 2] = [Compiler(None), NIGHTLY];

pub fn run(args: &[String]) -> Result<()> {
    let part = match args {
        [] => "",
        [part] if !part.starts_with('-') => part,
        _ => bail!(USAGE),
    };
    if let Some(why) = missing() {
        bail!(why);
    }
    try_with(&COMPILERS, part)
}

/// With the nightly compiler alone: what the UI tests do not do.
pub fn run_nightly() -> Result<()> {
    try_with(&[NIGHTLY], "")
}

fn try_with(compilers: &[Compiler], part: &str) -> Result<()> {
    let programs = programs(&util::root().join("ui-tests"), part)?;
    ensure!(
        programs.iter().any(|program| program.kind == Kind::Refused),
        "no such program"
    );
    let mut wrong = Vec::new();
    let mut table = Vec::new();
    for &compiler in compilers {
        let bench = Bench::set_up(compiler)?;
        for edition in EDITIONS {
            let (line, bad) = bench.try_all(edition, &programs)?;
            table.push(line);
            wrong.extend(bad);
        }
    }
    println!();
    for line in table {
        println!("  {line}");
    }
    ensure!(
        wrong.is_empty(),
        "{} programs are not what they should be:\n  {}",
        wrong.len(),
        wrong.join("\n  ")
    );
    Ok(())
}

/// Why it cannot run here.
pub fn missing() -> Option<String> {
    COMPILERS.into_iter().find_map(|compiler| {
        let version = util::output(compiler.rustc().arg("--version"), Duration::from_secs(60));
        let name = compiler.0.unwrap_or("default");
        version
            .is_err()
            .then(|| format!("no {name} compiler is installed (rustup toolchain install {name})"))
    })
}

impl Compiler {
    fn rustc(self) -> Command {
        let mut rustc = Command::new("rustc");
        rustc.args(self.0.map(|toolchain| format!("+{toolchain}")));
        rustc
    }

    fn cargo(self) -> Command {
        match self.0 {
            None => util::cargo(),
            Some(toolchain) => {
                let mut cargo = Command::new("cargo");
                cargo.arg(format!("+{toolchain}"));
                cargo
            }
        }
    }
}

/// A compiler with what the programs need.
struct Bench {
    compiler: Compiler,
    /// Its version, for the table.
    version: String,
    /// `--extern` and `-L`.
    libraries: Vec<String>,
    /// Where it writes.
    folder: PathBuf,
}

impl Bench {
    fn set_up(compiler: Compiler) -> Result<Self> {
        let version = util::output(compiler.rustc().arg("--version"), BUILD)?;
        let version = String::from_utf8_lossy(&version).trim().to_owned();
        step(format!("{version}: the library"));
        let mut target = util::target_dir()?;
        let folder = target.join("corpus");
        // One folder would do for both, but other tasks would then build for each in turn.
        target.extend(compiler.0.map(|toolchain| format!("corpus/{toolchain}")));
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let mut cargo = compiler.cargo();
        cargo
            .current_dir(util::root())
            .env("CARGO_TARGET_DIR", &target)
            .args(["build", "--package", "ui-tests", "--lib"])
            .arg("--message-format=json");
        let messages = util::output(&mut cargo, BUILD)?;
        let messages = String::from_utf8_lossy(&messages);
        let mut libraries = Vec::new();
        for name in LIBRARIES {
            let file = library(&messages, name)
                .with_context(|| format!("cargo names no library `{name}`"))?;
            libraries.extend(["--extern".to_owned(), format!("{name}={file}")]);
        }
        let dependencies = target.join("debug/deps");
        libraries.extend([
            "-L".into(),
            format!("dependency={}", dependencies.display()),
        ]);
        Ok(Bench {
            compiler,
            version,
            libraries,
            folder,
        })
    }

    /// Gives all programs to the compiler. Returns a line for the table, and what is wrong.
    fn try_all(&self, edition: &str, programs: &[Program]) -> Result<(String, Vec<String>)> {
        step(format!(
            "{}, edition {edition}: {} programs",
            self.version,
            programs.len()
        ));
        let started = Instant::now();
        let (next, told) = (AtomicUsize::new(0), Mutex::new(started));
        let verdicts = Mutex::new(Vec::new());
        let worker = |number: usize| -> Result<()> {
            loop {
                // Relaxed: a ticket, no more.
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(program) = programs.get(index) else {
                    return Ok(());
                };
                let verdict = self.try_one(edition, program, number)?;
                verdicts.lock().expect("no panic").push((index, verdict));
                let mut told = told.lock().expect("no panic");
                if told.elapsed() > OFTEN {
                    *told = Instant::now();
                    println!("  {index} of {}", programs.len());
                }
            }
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let worker = &worker;
            let workers: Vec<_> = (0..threads)
                .map(|number| scope.spawn(move || worker(number)))
                .collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().expect("no panic"))
        })?;
        let mut verdicts = verdicts.into_inner().expect("no panic");
        verdicts.sort_by_key(|(index, _)| *index);
        let (mut wrong, mut words) = (Vec::new(), 0);
        for (index, verdict) in verdicts {
            let path = programs[index].path.display();
            match verdict {
                Verdict::AsExpected => {}
                Verdict::OtherWords(errors) => {
                    words += 1;
                    println!("  {path}: in other words:");
                    for error in errors {
                        println!("    {error}");
                    }
                }
                Verdict::Mended => {
                    println!("  {path}: rustc refuses it now; it belongs among the others")
                }
                Verdict::Wrong(how) => wrong.push(format!(
                    "{path}, {}, edition {edition}: {how}",
                    self.version
                )),
            }
        }
        let refused = programs
            .iter()
            .filter(|program| program.kind == Kind::Refused)
            .count();
        let took = started.elapsed().as_secs_f64();
        let line = format!(
            "{:<44} edition {edition}: {refused} to be refused, {} wrong, {words} in other words, {took:.0} s",
            self.version,
            wrong.len()
        );
        Ok((line, wrong))
    }

    fn try_one(&self, edition: &str, program: &Program, worker: usize) -> Result<Verdict> {
        let mut rustc = self.compiler.rustc();
        // As far as code generation where that is needed; never as far as linking.
        let emit = if program.late { "obj" } else { "metadata" };
        rustc
            .current_dir(util::root().join("ui-tests"))
            .args(["--crate-name", "program", "--edition", edition])
            .arg(format!("--emit={emit}"))
            .arg("-o")
            .arg(self.folder.join(format!("program-{worker}")))
            .args(&self.libraries)
            .arg(&program.path)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let output = rustc.output().context("cannot start rustc")?;
        let said = String::from_utf8_lossy(&output.stderr);
        Ok(judge(program, output.status.code(), &said))
    }
}

/// The file of a library in cargo's messages.
fn library(messages: &str, name: &str) -> Option<String> {
    let artifacts = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|artifact| artifact["target"]["name"] == name);
    let files: Vec<Value> = artifacts
        .filter_map(|artifact| artifact["filenames"].as_array().cloned())
        .flatten()
        .collect();
    let rlib = files.iter().filter_map(Value::as_str);
    rlib.into_iter()
        .find(|file| file.ends_with(".rlib"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_found_in_the_messages() {
        let messages = r#"   Compiling zerocopy v0.8.0
{"reason":"build-script-executed","package_id":"zerocopy"}
{"reason":"compiler-artifact","target":{"name":"zerocopy_derive"},"filenames":["/t/libzerocopy_derive-1.so"]}
{"reason":"compiler-artifact","target":{"name":"zerocopy"},"filenames":["/t/libzerocopy-2.rmeta","/t/libzerocopy-2.rlib"]}"#;
        assert_eq!(
            library(messages, "zerocopy").as_deref(),
            Some("/t/libzerocopy-2.rlib")
        );
        assert_eq!(library(messages, "zerocopy_derive"), None);
        assert_eq!(library(messages, "driver_scope"), None);
    }
}
