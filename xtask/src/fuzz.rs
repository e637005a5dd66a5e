//! `cargo xtask fuzz`: device memory against an array of bytes, and the timer queue against sorted maps, with inputs that a fuzzer chooses.
//!
//! The package `fuzz` is built by a nightly compiler, with AddressSanitizer and overflow checks. Inputs that reached new code are kept in the target folder, and
//! the next run begins with them; one that fails is kept in `fuzz/artifacts`, and libFuzzer tells how to run it again.

use std::fs::{self, File};
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use crate::util::{self, step};

const USAGE: &str = "usage: cargo xtask fuzz [bytes|queue] [--seconds N]";
/// There is a file of each name in `fuzz/targets/`.
const TARGETS: [&str; 2] = ["bytes", "queue"];
/// In full, each.
const SECONDS: u64 = 300;
/// The first build compiles libFuzzer.
const BUILD: Duration = Duration::from_secs(600);
/// Fewer inputs in a second say that something is wrong: it is ten thousands.
const LEAST: u64 = 100;

pub fn run(args: &[String]) -> Result<()> {
    let (targets, rest) = match args {
        [name, rest @ ..] if TARGETS.contains(&name.as_str()) => (vec![name.as_str()], rest),
        rest => (TARGETS.to_vec(), rest),
    };
    let seconds = match rest {
        [] => SECONDS,
        [option, seconds] if option == "--seconds" => seconds.parse().context(USAGE)?,
        _ => bail!(USAGE),
    };
    if let Some(why) = missing() {
        bail!(why);
    }
    targets
        .into_iter()
        .try_for_each(|target| run_one(target, seconds))
}

/// Why it cannot run here.
pub fn missing() -> Option<String> {
    let runs = |args: &[&str]| {
        util::output(
            Command::new("cargo").arg("+nightly").args(args),
            Duration::from_secs(60),
        )
        .is_ok()
    };
    if !runs(&["--version"]) {
        return Some("no nightly compiler is installed (rustup toolchain install nightly)".into());
    }
    if !runs(&["fuzz", "--version"]) {
        return Some("cargo-fuzz is not installed (cargo install cargo-fuzz)".into());
    }
    None
}

/// Builds the fuzzers and lets each run for so long.
pub fn run_for(seconds: u64) -> Result<()> {
    TARGETS
        .into_iter()
        .try_for_each(|target| run_one(target, seconds))
}

fn run_one(target: &str, seconds: u64) -> Result<()> {
    let dir = util::target_dir()?.join("fuzz");
    let corpus = dir.join("corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("creating {}", corpus.display()))?;
    util::run(cargo_fuzz("build")?.arg(target), BUILD)?;

    let log = dir.join(format!("{target}.txt"));
    let file = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
    let mut fuzz = cargo_fuzz("run")?;
    fuzz.arg(target)
        .arg(&corpus)
        .args(["--", "-print_final_stats=1"])
        .arg(format!("-max_total_time={seconds}"))
        .stdout(file.try_clone()?)
        .stderr(file);
    let ended = util::run(&mut fuzz, Duration::from_secs(seconds + 120));
    let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if let Err(error) = ended {
        let lines: Vec<&str> = said.lines().collect();
        println!("{}", lines[lines.len().saturating_sub(80)..].join("\n"));
        return Err(error);
    }
    let tried = tried(&said).context("the fuzzer does not say how many inputs it tried")?;
    ensure!(
        tried >= LEAST * seconds,
        "only {tried} inputs in {seconds} s"
    );
    step(format!("{target}: {tried} inputs; {}", covered(&said)));
    Ok(())
}

fn cargo_fuzz(what: &str) -> Result<Command> {
    // The `cargo` that takes a toolchain, and not the one that runs this.
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(util::root())
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .args(["+nightly", "fuzz", what, "--target-dir"])
        .arg(util::target_dir()?.join("fuzz"));
    Ok(cargo)
}

/// How many inputs were tried, as libFuzzer says at its end.
fn tried(said: &str) -> Option<u64> {
    let count = said
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    count.trim().parse().ok()
}

/// What they reached: places in the code, and features (how often and in which order), as libFuzzer counts them.
fn covered(said: &str) -> &str {
    let last = said.lines().rev().find(|line| line.contains("DONE"));
    last.and_then(|line| Some(&line[line.find("cov:")?..line.find("lim:")?]))
        .unwrap_or("coverage unknown")
        .trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzzer_says_is_understood() {
        let said = "#9\tNEW    cov: 1 ft: 2 corp: 3/4b lim: 5\n\
            #160774\tDONE   cov: 1004 ft: 3919 corp: 1139/33Kb lim: 135 exec/s: 14615 rss: 499Mb\n\
            stat::number_of_executed_units: 160774\n\
            stat::average_exec_per_sec:     14615\n";
        assert_eq!(tried(said), Some(160_774));
        assert_eq!(covered(said), "cov: 1004 ft: 3919 corp: 1139/33Kb");
        assert_eq!((tried(""), covered("")), (None, "coverage unknown"));
    }
}
