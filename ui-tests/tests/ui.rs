//! Every program under `accept/` compiles and runs; every other one is refused, with the message in its `.stderr`.
//!
//! The messages are those of the compiler named below: they are part of what the crate offers to its users. To accept new
//! ones, `TRYBUILD=overwrite cargo test -p ui-tests`, and read the difference: a program that is refused for another reason
//! than its own shows nothing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The compiler whose messages the `.stderr` files hold.
const COMPILER: &str = "rustc 1.95.";

/// The folders of refused programs, by what goes wrong in them.
const REFUSED: [&str; 21] = [
    "bind",
    "borrow",
    "brand",
    "callback",
    "child",
    "data",
    "devres",
    "dma",
    "escape",
    "forge",
    "inspect",
    "irq",
    "mmio",
    "own_kind",
    "port",
    "revocable",
    "safe_mmio",
    "send",
    "sleep",
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

    let tests = trybuild::TestCases::new();
    // In one set with the others on purpose: because of a program that is to run, all are compiled as far as code
    // generation, which is where some mistakes are found.
    tests.pass("accept/*.rs");
    for area in REFUSED {
        tests.compile_fail(refused.join(area).join("*.rs"));
    }
    // Runs them.
    drop(tests);

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
        // `wip` is where trybuild puts the messages of programs that have none.
        .filter(|name| !["accept", "src", "tests", "wip"].contains(&name.as_str()))
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

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}
