//! The four ways to look: what each needs, how it builds, and how it runs a program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{ensure, Context, Result};

use crate::{install, util};

/// The only machine that the sanitizers of both compilers are here for. Named, so that build scripts and macros are built without.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The source of the library, which ThreadSanitizer must see through: with one that it does not, it takes the locks in it for races.
const LIBRARY: &str = "/usr/lib/rustlib/src/rust/library/std/src/lib.rs";
/// The compiler that has it, with what links.
const REBUILDING: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
/// ThreadSanitizer's run time.
const RUNTIME: &str = "/usr/lib/llvm-22/lib/clang/22/lib/linux/libclang_rt.tsan-x86_64.a";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Address,
    Thread,
    /// AddressSanitizer's programs, with its leak detection.
    Leak,
    Valgrind,
}

/// What a mode uses, all of which is there.
pub struct Tools {
    pub mode: Mode,
    /// What turns addresses into names.
    symbolizer: PathBuf,
    target_dir: PathBuf,
}

impl Mode {
    pub const ALL: [Mode; 4] = [Mode::Address, Mode::Thread, Mode::Leak, Mode::Valgrind];

    pub fn by_name(name: &str) -> Option<Mode> {
        Mode::ALL.into_iter().find(|mode| mode.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Mode::Address => "address",
            Mode::Thread => "thread",
            Mode::Leak => "leak",
            Mode::Valgrind => "valgrind",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Mode::Address => "AddressSanitizer",
            Mode::Thread => "ThreadSanitizer",
            Mode::Leak => "LeakSanitizer (in AddressSanitizer)",
            Mode::Valgrind => "valgrind memcheck",
        }
    }

    /// The bugs of `tests/deliberate` that it has to see, and what it must say of each.
    pub fn bugs(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Mode::Address => &[
                ("use-after-free", "heap-use-after-free"),
                ("use-after-return", "stack-use-after-return"),
                ("past-the-end", "heap-buffer-overflow"),
            ],
            Mode::Thread => &[("race", "data race")],
            Mode::Leak => &[("leak", "LeakSanitizer: detected memory leaks")],
            Mode::Valgrind => &[
                ("use-after-free", "Invalid read"),
                ("past-the-end", "Invalid read"),
                ("uninitialised", "uninitialised value"),
                ("leak", "definitely lost"),
            ],
        }
    }

    /// How long one program may take: long, since the machine may be loaded.
    pub fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Mode::Address | Mode::Leak => 300,
            Mode::Thread => 600,
            Mode::Valgrind => 1200,
        })
    }

    /// How many programs run at the same time. A test program has a thread for each processor; valgrind runs one thread at a time.
    pub fn at_once(self) -> usize {
        match self {
            Mode::Valgrind => std::thread::available_parallelism().map_or(1, usize::from),
            _ => 1,
        }
    }

    /// Sees to it that all it needs is there.
    pub fn prepare(self) -> Result<Tools> {
        ensure!(
            cfg!(all(target_arch = "x86_64", target_os = "linux")),
            "the sanitizers are set up for {TARGET} only"
        );
        match self {
            Mode::Address | Mode::Leak => {
                let mut version = Command::new("cargo");
                util::output(
                    version.args(["+nightly", "--version"]),
                    Duration::from_secs(60),
                )
                .context("no nightly compiler is installed (rustup toolchain install nightly)")?;
            }
            Mode::Thread => {
                install::debian(LIBRARY, &REBUILDING)?;
                // As above: one brings them all.
                install::debian("/usr/bin/cargo", &REBUILDING)?;
                install::debian(RUNTIME, &["clang-22", "lld-22", "libclang-rt-22-dev"])?;
                install::debian("clang-22", &["clang-22"])?;
            }
            Mode::Valgrind => install::debian("valgrind", &["valgrind", "libc6-dbg"])?,
        }
        if self != Mode::Valgrind {
            install::debian("llvm-symbolizer", &["llvm"])?;
        }
        let folder = match self {
            Mode::Address | Mode::Leak => "address",
            Mode::Thread => "thread",
            Mode::Valgrind => "plain",
        };
        Ok(Tools {
            mode: self,
            symbolizer: path_of("llvm-symbolizer").unwrap_or_default(),
            target_dir: util::target_dir()?.join("sanitize").join(folder),
        })
    }
}

/// Where a program is.
fn path_of(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

impl Tools {
    /// Cargo, for a build of this mode: `cargo <what>`.
    pub fn cargo(&self, what: &str) -> Command {
        let mut cargo = match self.mode {
            // The `cargo` that takes a toolchain, and not the one that runs this.
            Mode::Address | Mode::Leak => {
                let mut cargo = Command::new("cargo");
                cargo.arg("+nightly");
                cargo
            }
            Mode::Thread => {
                let mut cargo = Command::new("/usr/bin/cargo");
                cargo
                    .env_remove("RUSTUP_TOOLCHAIN")
                    .env_remove("RUSTC")
                    .env("PATH", "/usr/bin:/bin")
                    .env("RUSTC_BOOTSTRAP", "1");
                cargo
            }
            Mode::Valgrind => util::cargo(),
        };
        cargo
            .current_dir(util::root())
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTDOCFLAGS")
            .env("CARGO_TARGET_DIR", &self.target_dir)
            // Built once and for all, and who reads a report wants lines and names.
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
            .env("RUSTFLAGS", self.flags())
            .env("RUSTDOCFLAGS", self.flags())
            .arg(what);
        match self.mode {
            Mode::Address | Mode::Leak => {
                cargo.args(["--target", TARGET]);
            }
            Mode::Thread => {
                cargo.args(["-Zbuild-std", "--target", TARGET]);
            }
            Mode::Valgrind => {
                cargo.arg("--release");
            }
        }
        cargo
    }

    /// What the compiler is told.
    fn flags(&self) -> &'static str {
        match self.mode {
            Mode::Address | Mode::Leak => "-Zsanitizer=address",
            Mode::Thread => {
                "-Zsanitizer=thread -Zexternal-clangrt -Clinker=clang-22 -Clink-arg=-fsanitize=thread"
            }
            Mode::Valgrind => "",
        }
    }

    /// The tool that programs are run by, with its options, if there is one. `reports` begins the path of each report.
    pub fn wrapper(&self, reports: &Path, leaks: bool) -> Option<(&'static str, Vec<String>)> {
        (self.mode == Mode::Valgrind).then(|| {
            let args = [
                if leaks {
                    "--leak-check=no"
                } else {
                    "--leak-check=full"
                },
                // What is lost indirectly hangs on something that is lost.
                "--errors-for-leak-kinds=definite",
                "--show-leak-kinds=definite",
                "--num-callers=40",
                "--fair-sched=yes",
                // Tests that run themselves as another process.
                "--trace-children=yes",
                "--error-exitcode=9",
            ];
            let mut args: Vec<String> = args.map(str::to_owned).to_vec();
            args.push(format!("--log-file={}.%p", reports.display()));
            ("valgrind", args)
        })
    }

    /// The command that runs a program, to be followed by its arguments.
    pub fn runner(&self, program: &Path, reports: &Path, leaks: bool) -> Command {
        let Some((tool, args)) = self.wrapper(reports, leaks) else {
            return Command::new(program);
        };
        let mut command = Command::new(tool);
        command.args(args).arg(program);
        command
    }

    /// What the programs' environment says to the run time that is linked into them; `suppressions` is a file.
    pub fn environment(&self, reports: &Path, suppressions: &Path) -> Vec<(&'static str, String)> {
        let common = format!(
            "log_path={}:external_symbolizer_path={}:print_suppressions=1",
            reports.display(),
            self.symbolizer.display()
        );
        let suppressions = format!("suppressions={}", suppressions.display());
        match self.mode {
            Mode::Address => vec![(
                "ASAN_OPTIONS",
                format!("{common}:detect_leaks=0:detect_stack_use_after_return=1"),
            )],
            Mode::Leak => vec![
                (
                    "ASAN_OPTIONS",
                    format!("{common}:detect_leaks=1:fast_unwind_on_malloc=0:detect_stack_use_after_return=1"),
                ),
                ("LSAN_OPTIONS", suppressions),
            ],
            Mode::Thread => vec![("TSAN_OPTIONS", format!("{common}:{suppressions}"))],
            Mode::Valgrind => Vec::new(),
        }
    }
}
