//! `cargo xtask bench`: what access, revoking and timers cost, beside other crates.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use crate::util::{self, step};

/// There is a file of each name in `benches/`.
pub const BENCHES: [&str; 3] = ["access", "revoke", "timers"];

/// With the build of the rivals, and the counting of instructions.
const LIMIT: Duration = Duration::from_secs(2400);

const PAGE: &str = "docs/benchmarks.md";

/// What stands above each bench's output on the page.
const ABOUT: [&str; 3] = [
    "What one read of a 32-bit register costs: by an address, through the handles that the compiler checks, through those that are checked at run \
     time, and through other crates' ways to protect what may be taken away. (a) is `Counted`, (b) `Slots` with fences, (c) `Slots` with \
     membarrier(2), which `Host` has on Linux; see [design.md](design.md).",
    "What it costs to take something away from its readers, and to remove a driver with many `Devres`.",
    "What a timer costs in the queue of this crate, in heaps that it could have been, in the containers, wheels and runtimes of others and in Linux's \
     timerfd; and how late timers fire. All containers are behind a `std::sync::Mutex`, ours with its own decision on each start whether the alarm \
     must be set anew, which the others are spared. Near: up to 1 ms ahead, evenly; far: up to 4.9 hours, evenly; mixed: of any order of magnitude from \
     8 µs to 4.9 hours. start+cancel is of one of 16 idle timers, beside those that are pending; restart is of any pending one, at random; fire \
     takes out the first and starts it anew; use is ten restarts, then one fire. Where a rival is ahead, it is mostly `BinaryHeap` at restarts of very many timers: \
     it leaves the old entry where it is and appends another, while to take a timer out of a list one waits for its neighbours, which are lines of the cache like itself. What \
     is spared there is paid when timers expire (use), and starting may allocate. That one of a million costs more than one of a hundred is the cache's doing, too: \
     \"lock + one write\" does no more than write to a timer. (And on two threads with a queue each, half of a million move to the other queue when they are first \
     restarted.)",
];

pub fn run(args: &[String]) -> Result<()> {
    match args {
        [name] if name == "report" => report(&BENCHES),
        [name, of @ ..] if name == "report" && of.iter().all(|name| is_bench(name)) => {
            let of: Vec<&str> = of.iter().map(String::as_str).collect();
            report(&of)
        }
        [name] if is_bench(name) => util::run(&mut cargo(name, false), LIMIT),
        [name, option] if is_bench(name) && option == "--quick" => {
            util::run(&mut cargo(name, true), LIMIT)
        }
        _ => bail!("usage: cargo xtask bench access|revoke|timers [--quick], or report [access] [revoke] [timers]"),
    }
}

fn is_bench(name: &str) -> bool {
    BENCHES.contains(&name)
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

/// Runs these, and makes the page of what they print; of the others it keeps what it has.
fn report(of: &[&str]) -> Result<()> {
    let date = util::output(
        Command::new("date").args(["-u", "+%F"]),
        Duration::from_secs(10),
    )?;
    let date = String::from_utf8(date)?;
    let path = util::root().join(PAGE);
    let old = fs::read_to_string(&path).unwrap_or_default();
    let mut page = "# Benchmarks\n\nMade by `cargo xtask bench report`, which runs the benches and puts here what they print, each with its date. The candidates of a table \
         were measured in turns in one run, so its ratios hold although the machine is noisy; instructions were counted by valgrind. Each was first seen to \
         do what it should: to read what is there and, where it is protected, nothing after its revoke; to fire what is pending, and nothing that was cancelled.\n"
        .to_owned();
    for (name, about) in BENCHES.into_iter().zip(ABOUT) {
        if !of.contains(&name) {
            page += kept(name, &old).with_context(|| format!("{PAGE} has no {name} yet"))?;
            continue;
        }
        let copy = util::target_dir()?.join(format!("bench-{name}.txt"));
        let printed = util::tee(&mut cargo(name, false), LIMIT, &copy)?;
        let printed = String::from_utf8(printed).context("the bench prints text")?;
        page += &section(name, &format!("{about} Run on {}.", date.trim()), &printed)?;
    }
    fs::write(path, page).with_context(|| format!("writing {PAGE}"))?;
    step(format!("{PAGE} is written"));
    Ok(())
}

/// How the part of the page for a bench begins.
fn heading(name: &str) -> String {
    format!("\n## `cargo xtask bench {name}`\n")
}

/// That part of an old page.
fn kept<'a>(name: &str, page: &'a str) -> Option<&'a str> {
    let start = page.find(&heading(name))?;
    let rest = &page[start + 1..];
    let end = rest.find("\n## ").unwrap_or(rest.len());
    Some(&page[start..=start + end])
}

/// The part of the page for one bench.
fn section(name: &str, about: &str, printed: &str) -> Result<String> {
    ensure!(
        !printed.contains("NOT COUNTED") && !printed.contains("NOT TO BE TRUSTED"),
        "{name}: instructions were not counted, so this is no run for the page"
    );
    // The last line says where on this machine the samples are.
    let lines: Vec<&str> = printed.lines().collect();
    let end = lines
        .iter()
        .position(|line| line.starts_with("the same for programs"))
        .with_context(|| format!("{name} did not come to its end"))?;
    let mut text = String::new();
    writeln!(text, "{}\n{about}\n\n```text", heading(name))?;
    for line in &lines[..end] {
        writeln!(text, "{}", line.trim_end())?;
    }
    let text = text.trim_end();
    Ok(format!("{text}\n```\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_all_but_the_paths_of_this_machine() {
        let text = section("access", "About.", "a  \nb\n\nthe same for programs: /x\n").unwrap();
        assert_eq!(
            text,
            "\n## `cargo xtask bench access`\n\nAbout.\n\n```text\na\nb\n```\n"
        );
    }

    #[test]
    fn what_is_not_run_again_is_kept() {
        let part = |name| section(name, "About.", "a\nthe same for programs: /x\n").unwrap();
        let (one, two) = (part("access"), part("timers"));
        let page = format!("# Benchmarks\n\nHead.\n{one}{two}");
        assert_eq!(kept("access", &page), Some(one.as_str()));
        assert_eq!(kept("timers", &page), Some(two.as_str()));
        assert_eq!(kept("revoke", &page), None);
    }

    #[test]
    fn a_run_that_did_not_count_or_end_is_no_section() {
        assert!(section("access", "", "NOT COUNTED: x\nthe same for programs\n").is_err());
        assert!(section("access", "", "a\n").is_err());
    }
}
