//! `cargo xtask asm`: the machine code of a register access, through the library and by hand, compared.
//!
//! The package `codegen` has the same functions in two builds. Their assembly must be the same, line by line; a function
//! that one side lacks, or that is empty, is a failure as well.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use crate::util::{self, step};

const BUILD: Duration = Duration::from_secs(300);

/// What both builds must have. Here and not only found in them, so that one that went missing is noticed.
const FUNCTIONS: [&str; 11] = [
    "read_u8",
    "read_u16",
    "read_u32",
    "read_u64",
    "read_first",
    "write_u32",
    "set_bit",
    "wait_idle",
    "through_data",
    "devres_access",
    "devres_wait_idle",
];

/// Functions of the scoped side that access what may be revoked. (On Linux, where `Host` has membarrier.)
const CHECKED: [&str; 3] = ["checked_revocable", "checked_devres", "checked_port"];
/// What is not in them: an atomic read-modify-write, a fence.
const COSTLY: [&str; 6] = ["lock", "xchg", "xadd", "mfence", "lfence", "sfence"];

/// The instructions of a function, by its name.
type Functions = BTreeMap<String, Vec<String>>;

pub fn run(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask asm");
    let dir = util::target_dir()?.join("asm");
    fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    let raw = functions(&build(&dir, "raw", &[])?);
    let scoped = functions(&build(&dir, "scoped", &["--features", "scoped"])?);
    let differences = compare(&raw, &scoped);
    for name in FUNCTIONS {
        if let Some(code) = scoped.get(name) {
            println!("  {name:<14} {}", code.join("; "));
        }
    }
    if !differences.is_empty() {
        bail!("the code differs:\n{}", differences.join("\n"));
    }
    for name in CHECKED {
        let code = scoped
            .get(name)
            .with_context(|| format!("there is no {name}"))?;
        println!("  {name:<18} {} instructions", code.len());
        let costly = costly(code);
        ensure!(
            costly.is_empty(),
            "{name} has what a protected read must not have: {}",
            costly.join("; ")
        );
    }
    step(format!(
        "{} functions: a scoped register access is the same code as one by hand; {} checked ones: no atomic \
         read-modify-write, no fence",
        FUNCTIONS.len(),
        CHECKED.len()
    ));
    Ok(())
}

fn build(dir: &Path, side: &str, options: &[&str]) -> Result<String> {
    let file: PathBuf = dir.join(format!("{side}.s"));
    let mut cargo = util::cargo();
    cargo
        .current_dir(util::root())
        .args([
            "rustc",
            "--quiet",
            "--release",
            "--package",
            "codegen",
            "--lib",
        ])
        .args(options)
        .arg("--target-dir")
        .arg(dir.join("build"))
        // As in a program, where thread-locals are found without a call.
        .args([
            "--",
            "-Ccodegen-units=1",
            "-Cdebuginfo=0",
            "-Crelocation-model=static",
        ])
        .arg(format!("--emit=asm={}", file.display()))
        // The functions are called by nobody.
        .arg("-Adead_code");
    util::run(&mut cargo, BUILD)?;
    fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
}

/// The functions of an assembly file: labels at the start of a line, up to the end of the function, without directives.
/// Local labels are numbered anew in each function, so that they compare.
fn functions(assembly: &str) -> Functions {
    let mut all = Functions::new();
    let mut current: Option<(String, Vec<String>)> = None;
    for line in assembly.lines() {
        let code = line.split('#').next().unwrap_or_default().trim_end();
        if let Some(label) = code
            .strip_suffix(':')
            .filter(|label| !label.starts_with('.'))
        {
            current = Some((label.to_owned(), Vec::new()));
        } else if code.trim_start().starts_with(".cfi_endproc") {
            if let Some((name, code)) = current.take() {
                all.insert(name, renumber(code));
            }
        } else if let Some((_, body)) = &mut current {
            let code = code.trim();
            let directive = code.starts_with('.') && !code.ends_with(':');
            if !code.is_empty() && !directive {
                body.push(code.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
    }
    all
}

/// `.LBB4_1` is the first local label of function number 4: the number of the function is no part of its code.
fn renumber(code: Vec<String>) -> Vec<String> {
    code.into_iter()
        .filter(|line| !line.starts_with(".Lfunc_"))
        .map(|line| match line.split_once(".LBB") {
            Some((before, label)) => {
                let number = label.split_once('_').map_or(label, |(_, number)| number);
                format!("{before}.L{number}")
            }
            None => line,
        })
        .collect()
}

/// The instructions that a protected read must not have, and calls besides the one for a thread's first or nested section.
fn costly(code: &[String]) -> Vec<&str> {
    let mnemonic = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let mut found: Vec<&str> = code
        .iter()
        .filter(|line| {
            COSTLY
                .iter()
                .any(|costly| mnemonic(line).starts_with(costly))
        })
        .map(String::as_str)
        .collect();
    let calls = code
        .iter()
        .filter(|line| mnemonic(line).starts_with("call"));
    found.extend(calls.skip(1).map(String::as_str));
    found
}

fn compare(raw: &Functions, scoped: &Functions) -> Vec<String> {
    let mut differences = Vec::new();
    for name in FUNCTIONS {
        match (raw.get(name), scoped.get(name)) {
            (Some(raw), Some(scoped)) if raw == scoped && !raw.is_empty() => {}
            (raw, scoped) => differences.push(format!(
                "  {name}\n    by hand: {}\n    scoped:  {}",
                shown(raw),
                shown(scoped)
            )),
        }
    }
    differences
}

fn shown(code: Option<&Vec<String>>) -> String {
    code.map_or("(missing)".to_owned(), |code| code.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
\t.globl\tread_u8
read_u8:
\t.cfi_startproc
\tmovzbl\t1(%rdi), %eax
.LBB3_1:
\tjne\t.LBB3_1
\tretq
.Lfunc_end3:
\t.size\tread_u8, .Lfunc_end3-read_u8
\t.cfi_endproc
";

    #[test]
    fn functions_are_found_and_labels_do_not_matter() {
        let here = functions(SAMPLE);
        assert_eq!(
            here["read_u8"],
            ["movzbl 1(%rdi), %eax", ".L1:", "jne .L1", "retq"]
        );
        assert_eq!(here, functions(&SAMPLE.replace("3", "7")));
    }

    #[test]
    fn a_costly_instruction_is_told() {
        let code = |lines: &[&str]| {
            lines
                .iter()
                .map(|line| (*line).to_owned())
                .collect::<Vec<_>>()
        };
        assert!(costly(&code(&["movq (%rdi), %rax", "callq *slow(%rip)", "retq"])).is_empty());
        assert_eq!(costly(&code(&["mfence", "retq"])), ["mfence"]);
        assert_eq!(costly(&code(&["lock", "addq $4, (%rdi)"])), ["lock"]);
        assert_eq!(
            costly(&code(&["xchgq %rax, (%rdi)"])),
            ["xchgq %rax, (%rdi)"]
        );
        assert_eq!(costly(&code(&["callq a", "callq b"])), ["callq b"]);
    }

    #[test]
    fn a_difference_and_a_missing_function_are_told() {
        let code = |text: &str| -> Functions {
            FUNCTIONS
                .iter()
                .map(|name| (name.to_string(), vec![text.to_owned()]))
                .collect()
        };
        assert!(compare(&code("retq"), &code("retq")).is_empty());
        assert_eq!(compare(&code("retq"), &code("nop")).len(), FUNCTIONS.len());
        let mut fewer = code("retq");
        fewer.remove("read_u8");
        assert_eq!(compare(&code("retq"), &fewer).len(), 1);
        assert_eq!(compare(&fewer, &fewer).len(), 1);
    }
}
