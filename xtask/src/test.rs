//! `cargo xtask test`: every test suite of the project, in order.

use anyhow::{bail, Result};

pub fn run(_args: &[String]) -> Result<()> {
    bail!("not written yet")
}
