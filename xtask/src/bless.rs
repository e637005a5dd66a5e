//! `cargo xtask bless`: rewrites the expected output of the compile-fail tests.

use anyhow::{bail, Result};

pub fn run(_args: &[String]) -> Result<()> {
    bail!("not written yet")
}
