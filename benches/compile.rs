//! How long the crate takes to compile, beside others that one would have in its place. `cargo xtask bench compile`

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::{fs, io};

use driver_scope_benches::cargo::{self, cargo, Took};
use driver_scope_benches::machine;
use driver_scope_benches::report::{Records, Table, Value};
use driver_scope_benches::rivals::locked;
use driver_scope_benches::rounds::interleave;
use driver_scope_benches::stats::Spread;

static LOCK: &str = include_str!("../Cargo.lock");
static SIZE_LOCK: &str = include_str!("size/Cargo.lock");

/// What is compiled.
struct Candidate {
    id: &'static str,
    name: &'static str,
    version: &'static str,
    ours: bool,
    /// What a package that uses it says.
    dependencies: String,
    lock: &'static str,
    /// Crates that were compiled, of others included.
    crates: usize,
    took: Vec<Took>,
}

fn candidates() -> Vec<Candidate> {
    let new = |id, name, version, dependencies| Candidate {
        id,
        name,
        version,
        ours: false,
        dependencies,
        lock: LOCK,
        crates: 0,
        took: Vec::new(),
    };
    let root = cargo::root().display();
    let ours = |id, name, dependencies| Candidate {
        ours: true,
        ..new(id, name, "", dependencies)
    };
    let rival = |package: &'static str, name, features: &str| {
        let version = locked(LOCK, package);
        let line = format!("{package} = {{ version = \"={version}\", {features} }}");
        new(package, name, version, line)
    };
    let exact = |package: &str, features: &str| {
        let version = locked(SIZE_LOCK, package);
        format!("{package} = {{ version = \"={version}\", features = [{features}] }}\n")
    };
    vec![
        ours(
            "core",
            "driver-scope, no features",
            format!("driver-scope = {{ path = \"{root}\", default-features = false }}"),
        ),
        ours(
            "edu",
            "driver-scope and drivers/edu",
            format!("edu = {{ path = \"{root}/drivers/edu\" }}"),
        ),
        ours(
            "std",
            "driver-scope, std",
            format!("driver-scope = {{ path = \"{root}\" }}"),
        ),
        rival("crossbeam-epoch", "crossbeam-epoch", ""),
        rival("seize", "seize", ""),
        rival("async-io", "async-io", ""),
        rival(
            "tokio",
            "tokio, rt and time",
            "features = [\"rt\", \"time\"]",
        ),
        Candidate {
            lock: SIZE_LOCK,
            ..new(
                "embassy",
                "embassy-executor, with embassy-time",
                locked(SIZE_LOCK, "embassy-executor"),
                exact("embassy-executor", "") + &exact("embassy-time", "\"tick-hz-1_000_000\""),
            )
        },
    ]
}

impl Candidate {
    fn folder(&self) -> PathBuf {
        cargo::folder().join("compile").join(self.id)
    }

    /// A package that has nothing but this.
    fn prepare(&self) -> io::Result<()> {
        let folder = self.folder();
        fs::create_dir_all(folder.join("src"))?;
        let manifest = format!(
            "[workspace]\n[package]\nname = \"nothing\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[dependencies]\n{}\n",
            self.dependencies
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        // So that all others are of the versions that are used here; cargo strikes out those that are not.
        fs::write(folder.join("Cargo.lock"), self.lock)?;
        fs::write(folder.join("src/lib.rs"), "")
    }

    /// From nothing. Downloads only if it may.
    fn build(&mut self, offline: bool) -> io::Result<Took> {
        let folder = self.folder();
        let target = folder.join("target");
        if target.exists() {
            fs::remove_dir_all(&target)?;
        }
        let mut build: Command = cargo();
        build.arg("build").current_dir(&folder);
        build.arg("--target-dir").arg(&target);
        if offline {
            build.arg("--offline");
        }
        let (took, said) = cargo::timed(&mut build)?;
        let compiled = said
            .lines()
            .filter(|line| line.trim_start().starts_with("Compiling "));
        // Without the package around it.
        self.crates = compiled.count() - 1;
        Ok(took)
    }
}

fn main() -> ExitCode {
    let quick = std::env::args().any(|arg| arg == "--quick");
    machine::print();
    match measure(quick) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compile: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(quick: bool) -> io::Result<()> {
    let mut all = candidates();
    if quick {
        all.retain(|candidate| ["core", "seize"].contains(&candidate.id));
    }
    let mut failed = None;
    if !quick {
        // What is not there yet is downloaded, and the files come into memory.
        interleave("compiling for the first time", 1, &mut all, |candidate| {
            if let Err(error) = candidate.prepare().and_then(|()| candidate.build(false)) {
                failed = Some(error);
            }
        });
    }
    let rounds = if quick { 1 } else { 5 };
    interleave("compiling", rounds, &mut all, |candidate| {
        match candidate.prepare().and_then(|()| candidate.build(!quick)) {
            Ok(took) => candidate.took.push(took),
            Err(error) => failed = Some(error),
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    report(&all)
}

fn report(all: &[Candidate]) -> io::Result<()> {
    let mut table = Table::new(&[
        "compiled from nothing",
        "version",
        "crates",
        "user CPU",
        "quartiles",
        "x ours",
        "wall",
        "quartiles",
    ]);
    let mut records = Records::default();
    let seconds = |candidate: &Candidate, what: fn(&Took) -> std::time::Duration| -> Vec<f64> {
        candidate
            .took
            .iter()
            .map(|took| what(took).as_secs_f64())
            .collect()
    };
    let ours = Spread::of(&seconds(&all[0], |took| took.user)).median;
    for candidate in all {
        let mut row = vec![
            candidate.name.to_owned(),
            candidate.version.to_owned(),
            candidate.crates.to_string(),
        ];
        for (what, samples) in [
            ("user", seconds(candidate, |took| took.user)),
            ("wall", seconds(candidate, |took| took.wall)),
        ] {
            let spread = Spread::of(&samples);
            row.push(format!("{:.2} s", spread.median));
            row.push(format!("{:.2} - {:.2}", spread.lower, spread.upper));
            if what == "user" {
                row.push(format!("{:.2}", spread.median / ours));
            }
            let fields = vec![
                ("name", Value::Text(candidate.name.into())),
                ("version", Value::Text(candidate.version.into())),
                ("ours", Value::Flag(candidate.ours)),
                ("crates", Value::Number(candidate.crates as f64)),
                ("what", Value::Text(what.into())),
            ];
            records.add_figure(fields, &samples);
        }
        table.row(row);
    }
    table.print(&format!(
        "COMPILE TIME: `cargo build` from nothing, unoptimised, CARGO_INCREMENTAL=0, of a package that has this dependency alone; {} rounds in turns",
        all[0].took.len()
    ));
    records.write("compile")
}
