//! `cargo xtask bench` and `bench-report`: what the crate costs, beside other crates; and the page of it, `docs/benchmarks.md`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Context, Result};

use crate::install;
use crate::util::{self, step};

/// There is a file of each name in `benches/`; in the order in which they stand on the page.
const BENCHES: [&str; 7] = [
    "access", "revoke", "teardown", "timers", "lateness", "size", "compile",
];

/// With the build of the rivals, and the counting of instructions.
const LIMIT: Duration = Duration::from_secs(2400);

/// Where the page and what it is made of are.
const DOCS: &str = "docs";

pub fn run(args: &[String]) -> Result<()> {
    let (names, quick) = options(args)?;
    let [name] = names.as_slice() else {
        bail!(
            "usage: cargo xtask bench <which> [--quick]; which: {}",
            BENCHES.join(", ")
        );
    };
    util::run(&mut cargo(name, quick), LIMIT)
}

/// Runs the benches, or those named, and makes the page of what they find. What is not run stays as it is on the page. With `--page` none is run.
///
/// With `--quick` everything is run, but for next to no time, and the page is made in the folder of build products: to see that all of it works.
pub fn report(args: &[String]) -> Result<()> {
    if let [only] = args {
        if only == "--page" {
            return page(&util::root().join(DOCS), &[]);
        }
    }
    let (mut names, quick) = options(args)?;
    if names.is_empty() {
        names = BENCHES.to_vec();
    }
    let results = util::target_dir()?.join("bench");
    fs::create_dir_all(&results).with_context(|| results.display().to_string())?;
    let docs = if quick {
        let elsewhere = results.join("page");
        if elsewhere.exists() {
            fs::remove_dir_all(&elsewhere).with_context(|| elsewhere.display().to_string())?;
        }
        elsewhere
    } else {
        warn_of_load();
        install::debian("valgrind", &["valgrind", "libc6-dbg"])?;
        // The builds come first, so that no bench begins right after its own.
        step("== building the benches");
        for name in &names {
            util::run(cargo(name, false).arg("--no-run"), LIMIT)?;
        }
        util::root().join(DOCS)
    };
    let began = Instant::now();
    let mut failed = 0;
    for (number, name) in names.iter().enumerate() {
        step(format!("== {}/{}: {name}", number + 1, names.len()));
        let copy = results.join(name).with_extension("txt");
        let printed = util::tee(&mut cargo(name, quick), LIMIT, &copy)?;
        failed += broken(&String::from_utf8_lossy(&printed));
        // After each, so that what there is stays if a later one comes to no end.
        page(&docs, &[name])?;
    }
    step(format!(
        "{} is written; measured in {} s; {failed} bounds did not hold, which the page lists",
        docs.join("benchmarks.md").display(),
        began.elapsed().as_secs()
    ));
    Ok(())
}

/// The figures are for a machine that does nothing else.
fn warn_of_load() {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let last_minute = load.split(' ').next().and_then(|load| load.parse().ok());
    if last_minute.is_some_and(|load: f64| load > 1.0) {
        println!("THE MACHINE IS BUSY (load {}): the figures will not be what they could be, and the page says so", load.trim());
    }
}

/// How many bounds did not hold.
fn broken(printed: &str) -> usize {
    let lines = printed.lines().map(str::trim_start);
    lines.filter(|line| line.starts_with("FAIL ")).count()
}

/// Makes the page in a folder, of what these have just found and of what is there.
fn page(docs: &Path, names: &[&str]) -> Result<()> {
    let mut page = util::cargo();
    page.current_dir(util::root())
        .args(["run", "--quiet", "--package", "bench-page", "--"])
        .arg(docs);
    if !names.is_empty() {
        page.arg(util::target_dir()?.join("bench")).args(names);
    }
    util::run(&mut page, LIMIT)
}

/// The benches that are named, and whether to be quick.
fn options(args: &[String]) -> Result<(Vec<&'static str>, bool)> {
    let mut names = Vec::new();
    let mut quick = false;
    for arg in args {
        match BENCHES.into_iter().find(|name| name == arg) {
            Some(name) => names.push(name),
            None => {
                ensure!(
                    arg == "--quick",
                    "no bench `{arg}`; there are: {}",
                    BENCHES.join(", ")
                );
                quick = true;
            }
        }
    }
    Ok((names, quick))
}

fn cargo(name: &str, quick: bool) -> Command {
    let mut cargo = util::cargo();
    cargo
        .current_dir(util::root())
        // One unit for each crate, so that what is inlined does not hang on how a crate happens to be divided.
        .env("CARGO_PROFILE_BENCH_CODEGEN_UNITS", "1")
        // Whatever a rival does not mark as inline may be inlined all the same. It takes longer to build, and who only wants to
        // see everything run need not wait for it.
        .env("CARGO_PROFILE_BENCH_LTO", if quick { "off" } else { "fat" })
        .args(["bench", "--package", "driver-scope-benches", "--bench"])
        .arg(name);
    if quick {
        cargo.args(["--", "--quick"]);
    }
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<(Vec<&'static str>, bool)> {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        options(&args)
    }

    #[test]
    fn options_are_names_and_quick() {
        assert_eq!(parsed(&[]).unwrap(), (vec![], false));
        assert_eq!(
            parsed(&["timers", "--quick", "access"]).unwrap(),
            (vec!["timers", "access"], true)
        );
        assert!(parsed(&["timer"]).is_err());
        assert!(parsed(&["--fast"]).is_err());
    }

    #[test]
    fn each_bench_has_a_file_and_each_file_is_run() {
        let benches = util::root().join("benches");
        let manifest = fs::read_to_string(benches.join("Cargo.toml")).unwrap();
        for name in BENCHES {
            assert!(
                manifest.contains(&format!("path = \"{name}.rs\"")),
                "{name}"
            );
        }
        assert_eq!(manifest.matches("[[bench]]").count(), BENCHES.len());
    }

    #[test]
    fn broken_bounds_are_counted() {
        assert_eq!(broken("  PASS a\n  FAIL b\nFAILURE\nFAIL c: FAIL\n"), 2);
    }
}
