//! `cargo xtask soak`: random drivers, removed in the middle of everything, for an hour; see the package `soak`.

use std::fs;
use std::time::Duration;

use anyhow::{bail, Context, Result};

use crate::util;

const USAGE: &str = "usage: cargo xtask soak [--minutes N] [--master M]; or --seed S [--sim], to replay a plan; or --sim --plans N";
/// In full.
const MINUTES: u64 = 60;
/// The program notes in this file which plans are under way.
const NOTE: &str = "DRIVER_SCOPE_SOAK_NOTE";
/// The build, on a busy machine; the last plans, which are given a minute; and some more.
const BESIDES: Duration = Duration::from_secs(900);

/// The options go to the program. It runs optimised, with debug assertions and overflow checks.
pub fn run(args: &[String]) -> Result<()> {
    let minutes = minutes(args)?;
    let mut cargo = util::cargo();
    cargo
        .current_dir(util::root())
        .args(["run", "--quiet", "--profile", "soak"])
        .args(["--package", "driver-scope-soak", "--"])
        .args(args);
    let note = util::target_dir()?.join("soak-under-way.txt");
    let _ = fs::remove_file(&note);
    cargo.env(NOTE, &note);
    let ended = util::run(&mut cargo, Duration::from_secs(60 * minutes) + BESIDES);
    if ended.is_err() {
        // A crash tells nothing itself.
        if let Ok(under_way) = fs::read_to_string(&note) {
            println!("the last plans that were begun:{under_way}");
        }
    }
    ended
}

/// For how long at most it will run.
fn minutes(args: &[String]) -> Result<u64> {
    let mut minutes = MINUTES;
    let mut args = args.iter();
    while let Some(option) = args.next() {
        match option.as_str() {
            "--sim" => {}
            "--minutes" | "--seed" | "--master" | "--plans" => {
                let value = args.next().context(USAGE)?.parse().context(USAGE)?;
                if option == "--minutes" {
                    minutes = value;
                }
            }
            _ => bail!(USAGE),
        }
    }
    Ok(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_how_long_it_may_last() {
        let of = |args: &str| {
            let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
            minutes(&args).ok()
        };
        assert_eq!(of(""), Some(60));
        assert_eq!(of("--minutes 5 --master 7"), Some(5));
        assert_eq!(of("--seed 18416242507550882321 --sim"), Some(60));
        for wrong in ["--minutes", "--minutes x", "--hours 1", "5"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
