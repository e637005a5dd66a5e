//! `cargo xtask bless`: writes the compiler's messages for the compile-fail tests anew. Read the difference before you keep it.

use std::time::Duration;

use anyhow::{ensure, Result};

use crate::util;

const LIMIT: Duration = Duration::from_secs(600);

pub fn run(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask bless");
    let mut cargo = util::cargo();
    cargo
        .current_dir(util::root())
        .args(["test", "--package", "ui-tests"])
        .env("TRYBUILD", "overwrite");
    util::run(&mut cargo, LIMIT)
}
