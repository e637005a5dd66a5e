//! The project's own tasks. `cargo xtask` alone lists them.

mod api;
mod asm;
mod bench;
mod bless;
mod corpus;
mod fuzz;
mod guards;
#[allow(dead_code)] // TAKEN AWAY WITH ITS FIRST USE
mod install;
mod licences;
mod linux_report;
mod mutants;
mod package;
mod qemu;
mod sanitize;
mod soak;
mod test;
mod unsafe_index;
mod util;

use std::process::ExitCode;

use anyhow::{bail, Result};

const USAGE: &str = "\
usage: cargo xtask <task> [options]

  test                    every test suite
  qemu <guest> [options]  boot a guest under QEMU and check what it reports
  fuzz [which] [--seconds N]  device memory (`bytes`) and timers (`queue`) against models, with inputs that a fuzzer chooses
  sanitize [mode] [part]  the suite under `address`, `thread`, `leak` and `valgrind`, or one of them
  soak [--minutes N]      random drivers, removed in the middle of everything; `--seed S [--sim]` replays one
  guards [id] [--list]    take each guard away and see its tests fail
  mutants [part] [--hung] [--fresh] small changes of `src/`, by cargo-mutants: which of them no test notices
  asm [--bless]           the code of register accesses on three machines, against that by hand and what is kept
  bench <which> [--quick] what a thing costs beside other crates: access, revoke, teardown, timers, lateness, size or compile
  bench-report [which] [--quick]  all of that, and the page of it with plots: docs/benchmarks.md
  linux-report [part]     the edu driver in Linux beside the same with Linux's own abstractions: docs/linux.md
  api [--bless]           the public API, compared with what is kept
  licences                of all dependencies, and what each is for
  package                 what would be published is whole
  unsafe-index [--bless]  all unsafe code, with the invariants of docs/soundness.md that it rests on: docs/unsafe-index.md
  corpus [part]           the programs that must not compile, with the nightly compiler and in each edition
  bless                   rewrite the expected output of the compile-fail tests";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<()> {
    let Some((task, rest)) = args.split_first() else {
        bail!("no task given\n\n{USAGE}");
    };
    match task.as_str() {
        "test" => test::run(rest),
        "qemu" => qemu::run(rest),
        "fuzz" => fuzz::run(rest),
        "sanitize" => sanitize::run(rest),
        "soak" => soak::run(rest),
        "guards" => guards::run(rest),
        "mutants" => mutants::run(rest),
        "asm" => asm::run(rest),
        "api" => api::run(rest),
        "licences" => licences::run(rest),
        "package" => package::run(rest),
        "bench" => bench::run(rest),
        "bench-report" => bench::report(rest),
        "linux-report" => linux_report::run(rest),
        "corpus" => corpus::run(rest),
        "bless" => bless::run(rest),
        "unsafe-index" => unsafe_index::run(rest),
        "help" | "-h" | "--help" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("no task `{other}`\n\n{USAGE}"),
    }
}
