//! `cargo xtask bench`: what access and revoking cost, beside other crates.

use std::time::Duration;

use anyhow::{bail, Result};

use crate::util;

/// There is a file of each name in `benches/`.
pub const BENCHES: [&str; 2] = ["access", "revoke"];

/// With the build of the rivals.
const LIMIT: Duration = Duration::from_secs(1200);

pub fn run(args: &[String]) -> Result<()> {
    let (name, quick) = match args {
        [name] => (name, false),
        [name, option] if option == "--quick" => (name, true),
        _ => bail!("usage: cargo xtask bench access|revoke [--quick]"),
    };
    if !BENCHES.contains(&name.as_str()) {
        bail!("no bench `{name}`; there are `access` and `revoke`");
    }
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
    util::run(&mut cargo, LIMIT)
}
