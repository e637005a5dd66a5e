//! `cargo xtask test`: everything that this machine can check.
//!
//! Each check is tried whatever became of those before it, and the end is a table. One that cannot run here (QEMU is not
//! installed, say) is told loudly; where `CI=true` it is a failure.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail, ensure, Context, Result};

use crate::install::runs;
use crate::util::{self, step};
use crate::{api, asm, bench, corpus, fuzz, licences, package, qemu, sanitize, soak, unsafe_index};

/// No single check takes as long as that.
const LIMIT: Duration = Duration::from_secs(900);
/// Each says by its exit status whether what it shows is so.
const EXAMPLES: [&str; 9] = [
    "edu",
    "chardev",
    "nic",
    "nova-timer",
    "bitbybit",
    "tock",
    "fake",
    "sleep-tokio",
    "sleep-embassy",
];
/// Those that need features, with them.
const FEATURE_EXAMPLES: [(&str, &str); 1] = [("safe_mmio", SAFE_MMIO)];
/// They promise to be done in this time.
const EXAMPLE_LIMIT: Duration = Duration::from_secs(5);

/// The features for the pointers of safe-mmio, and for a bus with addresses to test them on. They are on where the whole workspace is built, since `ui-tests` has
/// them.
const SAFE_MMIO: &str = "safe-mmio,barriers";

/// Packages that are workspaces of their own: in the common one the feature `std` is always on, and all tests are meant to pass.
const OUTSIDE: [&str; 5] = [
    "benches/size/Cargo.toml",
    "tests/deliberate/Cargo.toml",
    "tests/no-alloc/Cargo.toml",
    "tests/no-std/Cargo.toml",
    "platforms/bare-metal/Cargo.toml",
];

/// A check, by its name. `Ok(Some(why))` says why it could not run here.
type Check = (&'static str, fn() -> Result<Option<String>>);

const CHECKS: &[Check] = &[
    ("rustfmt", rustfmt),
    ("clippy", clippy),
    ("clippy, no_std", clippy_no_std),
    ("clippy, loom", clippy_loom),
    ("rustdoc", rustdoc),
    ("public API", public_api),
    ("licences and dependencies", dependencies),
    ("the package alone", package::check),
    ("no unsafe in drivers", no_unsafe_in_drivers),
    ("index of unsafe code", index_of_unsafe_code),
    ("unit, behaviour, UI and doc tests", tests),
    ("refused by the nightly compiler, too", refused_by_nightly),
    ("pointers of safe-mmio", safe_mmio),
    ("panics without std", tests_no_std),
    ("examples", examples),
    ("no allocator at all", no_alloc),
    ("loom models", loom),
    ("code of a register access", code),
    ("every bench runs", benches),
    ("fuzzing, 10 seconds each", fuzzing),
    ("AddressSanitizer, the tests", sanitized),
    ("soak, a minute", soaking),
    ("valgrind, 10,000 cycles", valgrind),
    ("QEMU's edu by UIO", uio),
    ("QEMU's edu by VFIO", vfio),
    ("QEMU's edu in Linux itself", linux_kernel),
    ("QEMU's edu on bare metal", bare_metal),
];

enum Outcome {
    Passed,
    NotRun(String),
    Failed(anyhow::Error),
}

pub fn run(args: &[String]) -> Result<()> {
    let chosen: Vec<&Check> = match args {
        [] => CHECKS.iter().collect(),
        [word] => CHECKS
            .iter()
            .filter(|(name, _)| name.contains(word.as_str()))
            .collect(),
        _ => bail!("usage: cargo xtask test [part of a check's name]"),
    };
    ensure!(
        !chosen.is_empty(),
        "no such check; there are:\n  {}",
        names()
    );
    let ci = env::var("CI").is_ok_and(|ci| ci == "true");

    let mut outcomes = Vec::new();
    for (number, (name, check)) in chosen.iter().enumerate() {
        step(format!("== {}/{}: {name}", number + 1, chosen.len()));
        let started = Instant::now();
        let outcome = match check() {
            Ok(None) => Outcome::Passed,
            Ok(Some(why)) if ci => Outcome::Failed(anyhow!("could not run: {why}")),
            Ok(Some(why)) => Outcome::NotRun(why),
            Err(error) => Outcome::Failed(error),
        };
        if let Outcome::Failed(error) = &outcome {
            println!("FAILED: {name}: {error:#}");
        }
        outcomes.push((*name, started.elapsed(), outcome));
    }
    conclude(&outcomes)
}

fn names() -> String {
    let names: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
    names.join("\n  ")
}

fn conclude(outcomes: &[(&str, Duration, Outcome)]) -> Result<()> {
    println!();
    let (mut failed, mut not_run) = (0, 0);
    for (name, took, outcome) in outcomes {
        let told = match outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::NotRun(why) => {
                not_run += 1;
                format!("NOT RUN: {why}")
            }
            Outcome::Failed(error) => {
                failed += 1;
                format!("FAILED: {error}")
            }
        };
        println!("  {name:<36} {:>6.1} s  {told}", took.as_secs_f64());
    }
    println!();
    ensure!(failed == 0, "{failed} of {} checks failed", outcomes.len());
    let passed = outcomes.len() - not_run;
    println!("{passed} checks passed; {not_run} could not run on this machine");
    Ok(())
}

fn cargo(args: &[&str]) -> Command {
    let mut cargo = util::cargo();
    cargo.current_dir(util::root()).args(args);
    cargo
}

/// Runs cargo; there is nothing that could keep this from running.
fn must(args: &[&str]) -> Result<Option<String>> {
    util::run(&mut cargo(args), LIMIT).map(|()| None)
}

/// Cargo for the build with loom's types: other flags, so a target folder of its own. (For the crate itself: not all that the examples use builds with them.)
fn cargo_loom(args: &[&str]) -> Result<Command> {
    let mut cargo = cargo(args);
    cargo
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", "--cfg loom")
        .env("CARGO_TARGET_DIR", util::target_dir()?.join("loom"));
    Ok(cargo)
}

fn rustfmt() -> Result<Option<String>> {
    must(&["fmt", "--all", "--check"])?;
    for package in OUTSIDE {
        must(&["fmt", "--check", "--manifest-path", package])?;
    }
    must(&["fmt", "--check", "--manifest-path", "fuzz/Cargo.toml"])
}

fn clippy() -> Result<Option<String>> {
    must(&["clippy", "--workspace", "--all-targets", "--", "-Dwarnings"])
}

fn clippy_no_std() -> Result<Option<String>> {
    must(&[
        "clippy",
        "--package",
        "driver-scope",
        "--no-default-features",
        "--",
        "-Dwarnings",
    ])?;
    // On its own, so that no other package turns `std` on.
    for driver in ["edu", "nova-timer"] {
        must(&["clippy", "--package", driver, "--", "-Dwarnings"])?;
    }
    for package in OUTSIDE {
        must(&["clippy", "--manifest-path", package, "--", "-Dwarnings"])?;
    }
    Ok(None)
}

fn clippy_loom() -> Result<Option<String>> {
    util::run(
        &mut cargo_loom(&[
            "clippy",
            "--package=driver-scope",
            "--test",
            "loom",
            "--lib",
            "--",
            "-Dwarnings",
        ])?,
        LIMIT,
    )?;
    Ok(None)
}

fn rustdoc() -> Result<Option<String>> {
    for args in [
        &["doc", "--workspace", "--no-deps"][..],
        &[
            "doc",
            "--package",
            "driver-scope",
            "--no-deps",
            "--no-default-features",
        ],
    ] {
        util::run(cargo(args).env("RUSTDOCFLAGS", "-Dwarnings"), LIMIT)?;
    }
    Ok(None)
}

fn dependencies() -> Result<Option<String>> {
    licences::run(&[]).map(|()| None)
}

fn public_api() -> Result<Option<String>> {
    api::check(false)
}

/// The drivers forbid `unsafe`, so the compiler refuses it; this makes sure that they forbid it.
fn no_unsafe_in_drivers() -> Result<Option<String>> {
    let mut files = Vec::new();
    for driver in ["edu", "edu-model", "nova-timer", "nova-timer-model"] {
        let folder = util::root().join("drivers").join(driver);
        let lib = fs::read_to_string(folder.join("src/lib.rs"))?;
        ensure!(
            lib.contains("#![forbid(unsafe_code)]"),
            "drivers/{driver} does not forbid unsafe code"
        );
        sources(&folder.join("src"), &mut files)?;
    }
    for file in &files {
        for line in fs::read_to_string(file)?.lines() {
            ensure!(
                !line.contains("unsafe") || line == "#![forbid(unsafe_code)]",
                "{}: {line}",
                file.display()
            );
        }
    }
    println!("{} files", files.len());
    Ok(None)
}

fn index_of_unsafe_code() -> Result<Option<String>> {
    unsafe_index::check(false).map(|()| None)
}

fn sources(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn tests() -> Result<Option<String>> {
    must(&["test", "--workspace"])
}

/// The programs that must not compile, in both editions.
fn refused_by_nightly() -> Result<Option<String>> {
    if let Some(why) = corpus::missing() {
        return Ok(Some(why));
    }
    corpus::run_nightly().map(|()| None)
}

/// Outside the workspace, in which some package always turns `std` on.
fn tests_no_std() -> Result<Option<String>> {
    must(&["test", "--manifest-path", "tests/no-std/Cargo.toml"])
}

/// With the feature `safe-mmio`: what there is only with it.
fn safe_mmio() -> Result<Option<String>> {
    let package = ["--package", "driver-scope", "--features", SAFE_MMIO];
    let with = |command: &'static str, more: &[&'static str]| {
        let args = [&[command], &package[..], more].concat();
        util::run(cargo(&args).env("RUSTDOCFLAGS", "-Dwarnings"), LIMIT)
    };
    with(
        "clippy",
        &["--lib", "--test", "safe_mmio", "--", "-Dwarnings"],
    )?;
    must(&[
        "clippy",
        "--example",
        "safe_mmio",
        "--features",
        SAFE_MMIO,
        "--",
        "-Dwarnings",
    ])?;
    with("test", &["--test", "safe_mmio"])?;
    with("test", &["--doc", "safe_mmio"])?;
    with("doc", &["--no-deps"])?;
    // And where there is nothing but core.
    with(
        "clippy",
        &["--lib", "--no-default-features", "--", "-Dwarnings"],
    )?;
    Ok(None)
}

fn examples() -> Result<Option<String>> {
    let plain = EXAMPLES.map(|example| (example, ""));
    for (example, features) in plain.into_iter().chain(FEATURE_EXAMPLES) {
        must(&["build", "--example", example, "--features", features])?;
        let started = Instant::now();
        must(&[
            "run",
            "--quiet",
            "--example",
            example,
            "--features",
            features,
        ])?;
        let took = started.elapsed();
        ensure!(
            took < EXAMPLE_LIMIT,
            "{example} took {took:?}, and promises {EXAMPLE_LIMIT:?}"
        );
    }
    Ok(None)
}

/// A program without std, without the alloc crate and without libc, that binds a driver from a fixed buffer.
fn no_alloc() -> Result<Option<String>> {
    must(&[
        "run",
        "--quiet",
        "--release",
        "--manifest-path",
        "tests/no-alloc/Cargo.toml",
    ])
}

fn loom() -> Result<Option<String>> {
    util::run(
        &mut cargo_loom(&[
            "test",
            "--package=driver-scope",
            "--release",
            "--lib",
            "--test",
            "loom",
        ])?,
        LIMIT,
    )?;
    Ok(None)
}

fn code() -> Result<Option<String>> {
    asm::check(false)
}

/// Every candidate of the benches works, and is protected where it says so; and a page can be made of what they find. Nothing is timed.
fn benches() -> Result<Option<String>> {
    if cfg!(not(target_os = "linux")) {
        return Ok(Some("the benches need membarrier(2), so Linux".into()));
    }
    bench::report(&["--quick".into()]).map(|()| None)
}

/// Some seconds of what `cargo xtask fuzz` does for minutes.
fn fuzzing() -> Result<Option<String>> {
    if let Some(why) = fuzz::missing() {
        return Ok(Some(why));
    }
    fuzz::run_for(10).map(|()| None)
}

/// A minute of what `cargo xtask soak` does for an hour.
fn soaking() -> Result<Option<String>> {
    soak::run(&["--minutes".into(), "1".into()]).map(|()| None)
}

/// The first quarter of what `cargo xtask sanitize` does.
fn sanitized() -> Result<Option<String>> {
    if let Some(why) = sanitize::missing() {
        return Ok(Some(why));
    }
    sanitize::tests().map(|()| None)
}

fn valgrind() -> Result<Option<String>> {
    if !runs("valgrind", &["--version"]) {
        return Ok(Some(
            "valgrind is not installed (apt-get install valgrind)".into(),
        ));
    }
    let messages = util::output(
        &mut cargo(&[
            "test",
            "--release",
            "--no-run",
            "--test",
            "cycles",
            "--message-format=json",
        ]),
        LIMIT,
    )?;
    let program = executable(&String::from_utf8_lossy(&messages))
        .context("cargo names no executable for the test `cycles`")?;
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args([
            "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect",
            "--error-exitcode=9",
            "--fair-sched=yes",
        ])
        .arg(program)
        .args(["--include-ignored", "--test-threads=1"]);
    util::run(&mut valgrind, LIMIT)?;
    Ok(None)
}

/// The test program in cargo's messages. They are JSON, one object a line; the path is all that is wanted of them.
fn executable(messages: &str) -> Option<String> {
    let line = messages
        .lines()
        .find(|line| line.contains("\"name\":\"cycles\"") && line.contains("\"executable\":\""))?;
    let (_, rest) = line.split_once("\"executable\":\"")?;
    rest.split_once('"').map(|(path, _)| path.to_owned())
}

fn uio() -> Result<Option<String>> {
    on_linux("uio")
}

fn vfio() -> Result<Option<String>> {
    on_linux("vfio")
}

fn on_linux(guest: &str) -> Result<Option<String>> {
    if !runs(qemu::QEMU, &["--version"]) {
        return Ok(Some(format!("{} is not installed", qemu::QEMU)));
    }
    if !runs("apt-get", &["--version"]) {
        return Ok(Some(
            "the stock kernel comes by apt-get, which is not here".into(),
        ));
    }
    qemu::run(&[guest.into()]).map(|()| None)
}

/// Also without QEMU the modules are built, which is the check that they go with the kernel's own crates.
fn linux_kernel() -> Result<Option<String>> {
    if let Some(why) = qemu::linux_kernel_missing() {
        return Ok(Some(why));
    }
    if !runs(qemu::QEMU, &["--version"]) {
        qemu::run(&["linux-kernel".into(), "--compile".into()])?;
        return Ok(Some(format!(
            "the modules are built, but {} is not installed",
            qemu::QEMU
        )));
    }
    qemu::run(&["linux-kernel".into()]).map(|()| None)
}

fn bare_metal() -> Result<Option<String>> {
    if !runs(qemu::QEMU, &["--version"]) {
        return Ok(Some(format!("{} is not installed", qemu::QEMU)));
    }
    qemu::run(&["bare-metal".into()])?;
    qemu::run(&["bare-metal".into(), "--surprise".into()]).map(|()| None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_program_is_found_in_the_messages() {
        let messages = r#"{"reason":"x","target":{"name":"other"},"executable":"/a"}
{"reason":"x","target":{"name":"cycles"},"executable":null}
{"reason":"x","target":{"name":"cycles"},"executable":"/b/cycles-1"}"#;
        assert_eq!(executable(messages).as_deref(), Some("/b/cycles-1"));
        assert_eq!(executable(""), None);
    }

    #[test]
    fn a_failure_is_a_failure_and_what_did_not_run_is_counted() {
        let passed = ("a", Duration::ZERO, Outcome::Passed);
        let skipped = ("b", Duration::ZERO, Outcome::NotRun("no b".into()));
        let failed = ("c", Duration::ZERO, Outcome::Failed(anyhow!("bad")));
        assert!(conclude(&[passed, skipped]).is_ok());
        assert!(conclude(&[failed]).is_err());
    }
}
