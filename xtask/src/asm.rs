//! `cargo xtask asm`: compares the machine code of hot paths with the checked-in text.

use anyhow::{bail, Result};

pub fn run(_args: &[String]) -> Result<()> {
    bail!("not written yet")
}
