//! Every program under `accept/` compiles and runs; every other one is refused, with the message in its `.stderr`.
//!
//! The messages are those of the compiler named below: they are part of what the crate offers to its users. To accept new
//! ones, `TRYBUILD=overwrite cargo test -p ui-tests`, and read the difference: a program that is refused for another reason
//! than its own shows nothing.

use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The compiler whose messages the `.stderr` files hold.
const COMPILER: &str = "rustc 1.95.";

/// The folders of refused programs, by what goes wrong in them.
const REFUSED: [&str; 35] = [
    "any",
    "assoc",
    "bind",
    "borrow",
    "brand",
    "callback",
    "capture",
    "child",
    "data",
    "derive",
    "devres",
    "dma",
    "dynamic",
    "escape",
    "forge",
    "futures",
    "inspect",
    "irq",
    "iterate",
    "leak",
    "macros",
    "mmio",
    "own_kind",
    "port",
    "revocable",
    "safe_mmio",
    "send",
    "sleep",
    "smuggle",
    "statics",
    "threads",
    "unwind",
    "variance",
    "wait",
    "work",
];

#[test]
fn ui() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let refused = if is_compiler_of_messages() {
        PathBuf::new()
    } else {
        // Another compiler says the same in other words. That it refuses the programs is checked on copies.
        println!("the compiler is not {COMPILER}*: messages are not compared");
        let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
        copy_programs(home, &copies);
        // Have the messages written down, not compared. This is the only test in the process.
        env::set_var("TRYBUILD", "overwrite");
        copies
    };

    // Because of a program that is to run, all of its set are compiled one by one and as far as code generation, which is where some mistakes
    // are found. The others are only checked, all at once: that takes a fraction of the time.
    let (generated, checked) = (trybuild::TestCases::new(), trybuild::TestCases::new());
    generated.pass("accept/*.rs");
    for program in programs(home) {
        let set = if is_found_late(&home.join(&program)) {
            &generated
        } else {
            &checked
        };
        set.compile_fail(refused.join(program));
    }
    // Runs them, both whatever becomes of the first.
    let first = catch_unwind(AssertUnwindSafe(|| drop(generated)));
    drop(checked);
    if let Err(failed) = first {
        resume_unwind(failed);
    }

    assert_nothing_is_left_out(home);
}

fn is_compiler_of_messages() -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output();
    version.is_ok_and(|output| output.stdout.starts_with(COMPILER.as_bytes()))
}

/// Copies the programs that are refused, without their messages.
fn copy_programs(from: &Path, to: &Path) {
    // It may not be there yet.
    let _ = fs::remove_dir_all(to);
    for area in REFUSED {
        fs::create_dir_all(to.join(area)).unwrap();
        for path in files_in(&from.join(area)) {
            if path.extension().is_some_and(|extension| extension == "rs") {
                fs::copy(&path, to.join(area).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
}

/// A folder that is not in the list, or a message without its program, would go unnoticed.
fn assert_nothing_is_left_out(home: &Path) {
    let mut areas: Vec<_> = files_in(home)
        .into_iter()
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        // `rustc` has what rustc accepts by mistake; `wip` is where trybuild puts the messages of programs that have none.
        .filter(|name| !["accept", "rustc", "src", "tests", "wip"].contains(&name.as_str()))
        .collect();
    areas.sort();
    assert_eq!(areas, REFUSED, "the folders of refused programs");

    for file in areas.iter().flat_map(|area| files_in(&home.join(area))) {
        for extension in ["rs", "stderr"] {
            let other = file.with_extension(extension);
            assert!(other.exists(), "{} is missing", other.display());
        }
    }
}

/// All programs that are refused, by their paths from here.
fn programs(home: &Path) -> Vec<PathBuf> {
    let files = REFUSED.iter().flat_map(|area| files_in(&home.join(area)));
    let mut programs: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .map(|file| file.strip_prefix(home).unwrap().to_path_buf())
        .collect();
    programs.sort();
    programs
}

/// Whether `cargo check` accepts the program, and `cargo build` does not, as its comment says.
fn is_found_late(program: &Path) -> bool {
    let text = fs::read_to_string(program).unwrap();
    let mut comment = text.lines().take_while(|line| line.starts_with("//"));
    comment.any(|line| line.contains("Found when code is generated."))
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}
