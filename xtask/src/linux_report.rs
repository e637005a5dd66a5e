//! `cargo xtask linux-report`: the edu driver in Linux beside the same driver with Linux's own abstractions.
//!
//! `docs/linux.md` is prose written by hand, with tables between markers that are made here: counted from the files, seen in builds against the real kernel
//! crate and in boots of two kernels.

mod count;
mod drivers;
mod machine;
mod mutants;
mod page;
mod tree;

use std::fs;

use anyhow::{bail, ensure, Context, Result};

use crate::util::{self, step};
use page::Page;

const USAGE: &str = "\
usage: cargo xtask linux-report [counts|mutants|machine]...

  counts   what is in the files, without building anything
  mutants  what becomes of mistakes: built, and run in the kernel that checks everything
  machine  instructions of register accesses, and of whole paths

without any of them, all three; what is not made again stays";

const PAGE: &str = "docs/linux.md";

const PARTS: [&str; 3] = ["counts", "mutants", "machine"];

pub fn run(args: &[String]) -> Result<()> {
    if let Some(bad) = args.iter().find(|arg| !PARTS.contains(&arg.as_str())) {
        bail!("`{bad}`\n{USAGE}");
    }
    let wanted = |part: &str| args.is_empty() || args.iter().any(|arg| arg == part);
    let mut made = Vec::new();
    let mut unexpected = Vec::new();
    if wanted("counts") {
        made.push(("counts", count::table()?));
    }
    if wanted("mutants") || wanted("machine") {
        tree::with(wanted("mutants"), |tree| {
            if wanted("mutants") {
                let (table, other) = mutants::table(tree)?;
                made.push(("mutants", table));
                unexpected = other;
            }
            if wanted("machine") {
                made.push(("access", machine::accesses(tree)?));
                made.push(("paths", machine::paths(tree)?));
                made.push(("machine", machine::describe(tree)?));
            }
            Ok(())
        })?;
    }
    // Not before: somebody may write at it meanwhile.
    let path = util::root().join(PAGE);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {PAGE}"))?;
    let mut page = Page::new(text);
    for (name, text) in made {
        page.set(name, &text)?;
    }
    fs::write(&path, page.text()).with_context(|| format!("writing {PAGE}"))?;
    step(format!("{PAGE} is written"));
    ensure!(
        unexpected.is_empty(),
        "not as expected:\n{}",
        unexpected.join("\n")
    );
    Ok(())
}
