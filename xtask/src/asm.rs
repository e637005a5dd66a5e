//! `cargo xtask asm`: the machine code of a register access, through the library and by hand, compared, for three machines.
//!
//! The package `codegen` has the same functions in two builds. Their assembly must be the same, line by line; a function
//! that one side lacks, or that is empty, is a failure as well. An interrupt's way to its handler may be longer by so many instructions. What the library's side compiles to is kept in `codegen/expected`, so that a
//! change of it is seen; `--bless` writes it anew.

mod code;
mod cross;
mod expected;
mod machine;

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{bail, ensure, Context, Result};

use crate::util::{self, step};
use code::Functions;
use machine::{Machine, Side};

/// What both builds must have, on each machine. Here and not only found in them, so that one that went missing is noticed.
const FUNCTIONS: [&str; 32] = [
    "read_u8",
    "read_u16",
    "read_u32",
    "read_u64",
    "read_first",
    "write_u32",
    "set_bit",
    "wait_idle",
    "through_data",
    "read_then_memory",
    "memory_then_write",
    "take",
    "clear",
    "dma_then_doorbell",
    "status_then_dma",
    "descriptor_then_doorbell",
    "publish",
    "observe",
    "read_field",
    "modify",
    "modify_relaxed",
    "element_nth",
    "element_at",
    "nested_nth",
    "nested_at",
    "read_big_endian",
    "write_big_endian",
    "read_or_gone",
    "try_read",
    "try_write",
    "block_once",
    "split_once",
];

/// The same for what needs `Host`, so std, so this machine.
const HOSTED: [&str; 2] = ["devres_access", "devres_wait_idle"];

/// What may be longer than by hand.
struct Bounded {
    /// Its name by hand.
    name: &'static str,
    /// In its mangled name, where it is the library's own function.
    symbol: &'static str,
    /// What has the library make it.
    maker: &'static str,
    /// By how many instructions it may be longer. All of them count, so no way through it is longer by more.
    more: usize,
}

/// From the platform's call to a handler that reads one register, and back.
const INTERRUPT: Bounded = Bounded {
    name: "irq_entry",
    symbol: "3irq4node5entry",
    maker: "irq_register",
    more: 10,
};

/// Copies, on each machine. They have no match by hand, but must be as sound, and are kept.
const COPIES: [&str; 2] = ["copy_words_in", "copy_words_out"];

/// Functions of the scoped side that access what may be revoked. (On Linux, where `Host` has membarrier.)
const CHECKED: [&str; 3] = ["checked_revocable", "checked_devres", "checked_port"];

pub fn run(args: &[String]) -> Result<()> {
    let bless = match args {
        [] => false,
        [flag] if flag == "--bless" => true,
        _ => bail!("usage: cargo xtask asm [--bless]"),
    };
    match check(bless)? {
        Some(why) if env::var("CI").is_ok_and(|ci| ci == "true") => bail!("could not run: {why}"),
        Some(why) => println!("NOT RUN: {why}"),
        None => {}
    }
    Ok(())
}

/// `Ok(Some(why))` if that could not be done for each machine.
pub fn check(bless: bool) -> Result<Option<String>> {
    if cfg!(not(all(target_arch = "x86_64", target_os = "linux"))) {
        return Ok(Some("the code is looked at from x86-64 Linux only".into()));
    }
    let dir = util::target_dir()?.join("asm");
    fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;

    // All of them, also when one has failed.
    let mut failures = Vec::new();
    let mut try_machine = |machine: &Machine| {
        if let Err(error) = compare(machine, &dir, bless) {
            failures.push(format!("{}: {error:#}", machine.name()));
        }
    };
    try_machine(&Machine::here()?);
    let cross = cross::Toolchain::find();
    if let Some(toolchain) = &cross {
        for target in cross::TARGETS {
            try_machine(&Machine::cross(toolchain.sysroot(&dir, target)?));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(cross.is_none().then(|| cross::MISSING.to_owned()))
}

/// One machine.
fn compare(machine: &Machine, dir: &Path, bless: bool) -> Result<()> {
    let by_hand = code::functions(&machine.build(dir, Side::ByHand)?, machine.comment());
    let mut scoped = code::functions(&machine.build(dir, Side::Scoped)?, machine.comment());
    let names = names(machine);

    let differences = differences(&names, &by_hand, &scoped);
    ensure!(
        differences.is_empty(),
        "the code differs:\n{}",
        differences.join("\n")
    );
    let strangers = code::strangers(
        &scoped,
        &[&names[..], &COPIES, &CHECKED, &[INTERRUPT.maker]].concat(),
    );
    ensure!(
        strangers.is_empty(),
        "not in the list of what is compared: {}",
        strangers.join(", ")
    );
    println!("\n  {} ({})", machine.name(), machine.compiler());
    let longer = bounded(&INTERRUPT, &by_hand, &mut scoped)?;
    let kept = [&names[..], &COPIES, &[INTERRUPT.name]].concat();
    for name in &kept {
        let code = scoped
            .get(*name)
            .with_context(|| format!("there is no {name}"))?;
        sound(name, code)?;
        println!("    {name:<18} {}", summary(code));
    }
    println!(
        "    {:<18} {longer} instructions more than by hand, of {} that are allowed",
        INTERRUPT.name, INTERRUPT.more
    );
    if machine.hosted() {
        for name in CHECKED {
            let code = scoped
                .get(name)
                .with_context(|| format!("there is no {name}"))?;
            println!("    {name:<18} {:>2} instructions", code::count(code));
            let costly = code::costly(code);
            ensure!(
                costly.is_empty(),
                "{name} has what a protected read must not have: {}",
                costly.join("; ")
            );
        }
    }
    println!();
    expected::compare(machine, &kept, &scoped, bless)?;
    step(format!(
        "{}: {} functions are the same code as by hand; no call and no panic in them{}",
        machine.name(),
        names.len(),
        if machine.hosted() {
            "; what is checked has no atomic read-modify-write and no fence"
        } else {
            ""
        }
    ));
    Ok(())
}

/// By how many instructions the library's function is longer. From here on it goes by the name that it has by hand.
fn bounded(pair: &Bounded, by_hand: &Functions, scoped: &mut Functions) -> Result<usize> {
    let by_hand = by_hand
        .get(pair.name)
        .with_context(|| format!("there is no {} by hand", pair.name))?;
    let mut found = scoped
        .iter()
        .filter(|(symbol, _)| symbol.contains(pair.symbol));
    let (symbol, code) = found
        .next()
        .with_context(|| format!("there is no {}", pair.symbol))?;
    ensure!(
        found.next().is_none(),
        "there is more than one {}",
        pair.symbol
    );
    let (symbol, code) = (symbol.clone(), code.clone());
    let longer = code::count(&code).saturating_sub(code::count(by_hand));
    ensure!(
        longer <= pair.more,
        "{} has {longer} instructions more than by hand, of {} that are allowed\n    by hand: {}\n    scoped:  {}",
        pair.name,
        pair.more,
        by_hand.join("; "),
        code.join("; ")
    );
    scoped.remove(&symbol);
    scoped.insert(pair.name.to_owned(), code);
    Ok(longer)
}

fn names(machine: &Machine) -> Vec<&'static str> {
    let mut names = FUNCTIONS.to_vec();
    if machine.hosted() {
        names.extend(HOSTED);
    }
    names
}

/// What no function may have, even where the code by hand has it as well.
fn sound(name: &str, code: &[String]) -> Result<()> {
    let leaving = code::leaving(code);
    ensure!(
        leaving.is_empty(),
        "{name} has a call, or a way to panic: {}",
        leaving.join("; ")
    );
    let write_back = code::write_back(code);
    ensure!(
        write_back.is_empty(),
        "{name} accesses with write-back of the address, which a hypervisor cannot emulate: {}",
        write_back.join("; ")
    );
    Ok(())
}

fn differences(names: &[&str], by_hand: &Functions, scoped: &Functions) -> Vec<String> {
    let mut differences = Vec::new();
    for &name in names {
        match (by_hand.get(name), scoped.get(name)) {
            (Some(by_hand), Some(scoped)) if by_hand == scoped && !by_hand.is_empty() => {}
            (by_hand, scoped) => differences.push(format!(
                "  {name}\n    by hand: {}\n    scoped:  {}",
                shown(by_hand),
                shown(scoped)
            )),
        }
    }
    differences
}

fn shown(code: Option<&Vec<String>>) -> String {
    code.map_or("(missing)".to_owned(), |code| code.join("; "))
}

/// All of a short function; of a longer one the barriers.
fn summary(code: &[String]) -> String {
    const SHORT: usize = 5;
    let count = code::count(code);
    let barriers = code::barriers(code);
    let text = if code.len() <= SHORT {
        code.join("; ")
    } else if barriers.is_empty() {
        "..".to_owned()
    } else {
        format!(".. {} ..", barriers.join(" .. "))
    };
    format!("{count:>2} instructions: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_and_a_missing_function_are_told() {
        let names = &FUNCTIONS;
        let code = |text: &str| -> Functions {
            names
                .iter()
                .map(|name| (name.to_string(), vec![text.to_owned()]))
                .collect()
        };
        assert!(differences(names, &code("retq"), &code("retq")).is_empty());
        assert_eq!(
            differences(names, &code("retq"), &code("nop")).len(),
            names.len()
        );
        let mut fewer = code("retq");
        fewer.remove("read_u8");
        assert_eq!(differences(names, &code("retq"), &fewer).len(), 1);
        assert_eq!(differences(names, &fewer, &fewer).len(), 1);
    }

    #[test]
    fn an_entry_that_is_too_long_is_told() {
        let code = |name: &str, lines: usize| -> Functions {
            [(name.to_owned(), vec!["nop".to_owned(); lines])].into()
        };
        let by_hand = code(INTERRUPT.name, 5);
        let longer = |lines| {
            let mut scoped = code("_ZN12driver_scope3irq4node5entry17hdeadbeefE", lines);
            let longer = bounded(&INTERRUPT, &by_hand, &mut scoped);
            longer.map(|longer| (longer, scoped.contains_key(INTERRUPT.name)))
        };
        assert_eq!(longer(15).unwrap(), (10, true));
        assert!(longer(16).is_err());
        assert!(bounded(&INTERRUPT, &by_hand, &mut Functions::new()).is_err());
    }

    #[test]
    fn a_call_and_write_back_are_refused_even_if_both_sides_have_them() {
        let code = |text: &str| vec![text.to_owned(), "ret".to_owned()];
        assert!(sound("f", &code("ldr w0, [x0, #4]")).is_ok());
        assert!(sound("f", &code("bl panic")).is_err());
        assert!(sound("f", &code("ldr w0, [x0], #4")).is_err());
    }

    #[test]
    fn a_summary_has_the_barriers() {
        let code: Vec<String> = ["a", ".L1:", "dmb oshld", "b", "c", "ret"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(summary(&code), " 5 instructions: .. dmb oshld ..");
        assert_eq!(summary(&code[3..]), " 3 instructions: b; c; ret");
    }
}
