//! Instructions: of register accesses, in the object files; of whole paths, by QEMU's counting.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use super::drivers::{self, Driver, DRIVERS};
use super::page;
use super::tree::{Built, Machine, Tree};
use crate::qemu;
use crate::util::{self, step};

const QUICK: Duration = Duration::from_secs(60);

/// The code of functions, each by its name.
type Functions = BTreeMap<String, Vec<Instruction>>;

#[derive(Debug, PartialEq)]
struct Instruction {
    address: u64,
    /// With its operands.
    text: String,
    /// The function of another unit that it jumps to or calls.
    symbol: Option<String>,
}

/// What is executed where nothing goes wrong.
#[derive(Debug, Default, PartialEq)]
struct Executed {
    instructions: usize,
    /// Of those, the ones in functions that it calls.
    called: usize,
    /// What these call is in the kernel's image, and is not counted.
    uncounted: Vec<String>,
}

impl std::fmt::Display for Executed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.instructions)?;
        if self.called > 0 {
            write!(f, ", of which {} in what it calls", self.called)?;
        }
        if !self.uncounted.is_empty() {
            write!(f, "; and `{}`", self.uncounted.join("`, `"))?;
        }
        Ok(())
    }
}

/// The table of register accesses.
pub fn accesses(tree: &Tree<'_>) -> Result<String> {
    step("the code of register accesses");
    let folder = tree.builds(&tree.stock).join("access");
    let [ours, rivals] = [&DRIVERS[0], &DRIVERS[1]];
    // Two units that are part of no module: built in the folders of modules.
    let from = util::root().join("platforms/linux-kernel/rivals");
    let ours = ours.stage(&folder)?;
    drivers::copy(&from.join("access_scope.rs"), &ours.join("modules/edu.rs"))?;
    let rivals = rivals.stage(&folder)?;
    let mut functions = Functions::new();
    for (folder, object) in [(&ours, "modules/edu.o"), (&rivals, "rivals/access.o")] {
        let Built { is_made, said } = tree.make_target(&tree.stock, folder, object)?;
        ensure!(is_made, "{object} does not build:\n{said}");
        functions.extend(code(&folder.join(object))?);
    }
    functions.extend(code(&tree.helpers())?);
    let mut rows = vec![
        vec![String::new()],
        vec!["a read".to_owned()],
        vec!["a write".to_owned()],
    ];
    for (driver, name) in DRIVERS.iter().zip(["scope", "bound", "devres"]) {
        rows[0].push(driver.title.to_owned());
        for (row, access) in rows[1..].iter_mut().zip(["read", "write"]) {
            row.push(executed(&functions, &format!("{access}_{name}"))?.to_string());
        }
    }
    Ok(page::table(&rows))
}

/// The functions of an object file.
fn code(object: &Path) -> Result<Functions> {
    let mut objdump = Command::new("objdump");
    objdump
        .args(["--disassemble", "--reloc", "--no-show-raw-insn"])
        .arg(object);
    let text = util::output(&mut objdump, QUICK)?;
    Ok(parse(&String::from_utf8_lossy(&text)))
}

fn parse(text: &str) -> Functions {
    let mut functions = Functions::new();
    let mut name = None;
    for line in text.lines() {
        if let Some((_, rest)) = line.split_once(" <").filter(|_| line.ends_with(">:")) {
            name = Some(rest.trim_end_matches(">:").to_owned());
            continue;
        }
        let Some(name) = &name else { continue };
        let function = functions.entry(name.clone()).or_default();
        if let Some((_, relocation)) = line.split_once(": R_X86_64_") {
            let symbol = relocation.split_whitespace().last().unwrap_or_default();
            if let Some(last) = function.last_mut() {
                last.symbol = Some(symbol.trim_end_matches("-0x4").to_owned());
            }
            continue;
        }
        let Some((address, text)) = line.trim().split_once(":\t") else {
            continue;
        };
        if let Ok(address) = u64::from_str_radix(address, 16) {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            function.push(Instruction {
                address,
                text,
                symbol: None,
            });
        }
    }
    functions
}

const RETURN: &str = "__x86_return_thunk";

/// Goes through a function as if no condition held. Neither its mark at the begin nor its return is counted: they are there because it is a function. Of those that it
/// calls they are.
fn executed(functions: &Functions, name: &str) -> Result<Executed> {
    let mut executed = walk(functions, name)?;
    executed.instructions -= 2;
    Ok(executed)
}

fn walk(functions: &Functions, name: &str) -> Result<Executed> {
    let function = functions
        .get(name)
        .with_context(|| format!("no function {name}"))?;
    let mut executed = Executed::default();
    let call = |executed: &mut Executed, symbol: &str| -> Result<()> {
        if functions.contains_key(symbol) {
            let callee = walk(functions, symbol)?;
            executed.instructions += callee.instructions;
            executed.called += callee.instructions;
            executed.uncounted.extend(callee.uncounted);
        } else {
            executed.uncounted.push(symbol.to_owned());
        }
        Ok(())
    };
    let mut at = 0;
    // Longer ones are none of these.
    for _ in 0..200 {
        let instruction = function
            .get(at)
            .with_context(|| format!("{name} ends without a return"))?;
        executed.instructions += 1;
        let (operation, operands) = instruction
            .text
            .split_once(' ')
            .unwrap_or((&instruction.text, ""));
        match (operation, instruction.symbol.as_deref()) {
            ("ret" | "retq", _) | ("jmp", Some(RETURN)) => return Ok(executed),
            ("jmp", Some(symbol)) => {
                // Its return is this function's.
                call(&mut executed, symbol)?;
                if !functions.contains_key(symbol) {
                    executed.instructions += 1;
                }
                // The call that a caller would have made.
                return Ok(executed);
            }
            ("call", Some(symbol)) => call(&mut executed, symbol)?,
            ("jmp", None) => {
                let target = operands.split(' ').next().unwrap_or_default();
                let target = u64::from_str_radix(target, 16)?;
                let found = function.iter().position(|other| other.address == target);
                at = found.with_context(|| format!("{name} jumps out of itself"))?;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    bail!("{name} does not end")
}

/// Where virtual time is the number of instructions.
const COUNTING: Machine = Machine {
    cpus: "1",
    more: &["-icount", "shift=0,sleep=off"],
};

/// What the guest measures, and what it is called. A second name is what it is measured more than.
const PATHS: [(&str, Option<&str>, &str); 5] = [
    ("probe", None, "probe: `bind` in sysfs, in the thread that writes it"),
    ("remove", None, "remove: `unbind`, likewise"),
    ("start", Some("failing"), "start of a transfer with its timer: a command to the file, without one that fails"),
    ("interrupt", None, "interrupt: the handler, between its two trace points"),
    ("until-idle", None, "interrupt: from the first of them until the processor is idle again, with the thread that takes the result"),
];

/// The table of whole paths.
pub fn paths(tree: &Tree<'_>) -> Result<String> {
    let mut rows = vec![vec!["instructions".to_owned()]];
    rows.extend(PATHS.map(|(_, _, title)| vec![title.to_owned()]));
    rows.push(vec![
        "(a loop of 100,000 instructions, for comparison)".to_owned()
    ]);
    let mut first: Vec<u64> = Vec::new();
    for driver in &DRIVERS {
        let measured = measured(tree, driver)?;
        let of = |name: &str| {
            let value = measured.get(name).copied();
            value.with_context(|| format!("{} has not measured {name}", driver.name))
        };
        rows[0].push(driver.title.to_owned());
        let mut column = Vec::new();
        for (name, without, _) in PATHS {
            column.push(of(name)?.saturating_sub(without.map_or(Ok(0), of)?));
        }
        column.push(of("loop-own")?);
        // It says whether instructions are what was counted.
        let counted = (100_000..101_000).contains(&of("loop-own")?)
            && (100_000..101_000).contains(&of("loop-whole")?);
        ensure!(
            counted,
            "a loop of 100,000 instructions took {} and {}",
            of("loop-own")?,
            of("loop-whole")?
        );
        if first.is_empty() {
            first.clone_from(&column);
        }
        for ((row, value), ours) in rows[1..].iter_mut().zip(&column).zip(&first) {
            #[allow(clippy::cast_precision_loss)] // For the reader.
            let ratio = *value as f64 / *ours as f64;
            row.push(if driver.is_ours() {
                grouped(*value)
            } else {
                format!("{} ({ratio:.2})", grouped(*value))
            });
        }
    }
    Ok(page::table(&rows))
}

/// The least of each path.
fn measured(tree: &Tree<'_>, driver: &Driver) -> Result<BTreeMap<String, u64>> {
    step(format!("measuring {}", driver.name));
    let folder = tree.build(&tree.stock, driver)?;
    let log = tree.boot(&tree.stock, &COUNTING, driver, &folder, "measure")?;
    ensure!(
        log.contains("LINUX-END well"),
        "{} was not measured:\n{log}",
        driver.name
    );
    let mut measured = BTreeMap::new();
    for line in log
        .lines()
        .filter_map(|line| line.split_once("LINUX-MEASURE "))
    {
        let mut words = line.1.split_whitespace();
        let name = words.next().unwrap_or_default();
        let least = words.find_map(|word| word.strip_prefix("least="));
        measured.insert(name.to_owned(), least.context("no least")?.parse()?);
    }
    Ok(measured)
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What it was made with.
pub fn describe(tree: &Tree<'_>) -> Result<String> {
    let date = util::output(Command::new("date").args(["-u", "+%F"]), QUICK)?;
    let date = String::from_utf8(date)?;
    Ok(format!(
        "Made on {} with Linux {} and {}.\n",
        date.trim(),
        tree.stock.release,
        qemu::version()?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "
0000000000000010 <read>:
  10:	endbr64
  14:	mov    0x8(%rdi),%rdi
  1c:	jmp    21 <read+0x11>
			1d: R_X86_64_PLT32	helper-0x4
  21:	nop

0000000000000040 <helper>:
  40:	endbr64
  44:	mov    (%rdi),%eax
  46:	jmp    4b <helper+0xb>
			47: R_X86_64_PLT32	__x86_return_thunk-0x4

0000000000000050 <longer>:
  50:	endbr64
  54:	call   59 <longer+0x9>
			55: R_X86_64_PLT32	elsewhere-0x4
  59:	je     70 <longer+0x20>
  5b:	jmp    61 <longer+0x11>
  5d:	nop
  61:	call   66 <longer+0x16>
			62: R_X86_64_PLT32	helper-0x4
  66:	ret
";

    #[test]
    fn what_is_executed_is_counted() {
        let functions = parse(CODE);
        let plain = executed(&functions, "helper").unwrap();
        assert_eq!(
            plain,
            Executed {
                instructions: 1,
                called: 0,
                uncounted: vec![]
            }
        );
        // mov, call; endbr64, mov of the helper. Its return goes to the caller.
        let read = executed(&functions, "read").unwrap();
        assert_eq!((read.instructions, read.called), (4, 3));
        let longer = executed(&functions, "longer").unwrap();
        assert_eq!(longer.uncounted, ["elsewhere"]);
        // call, je, jmp, call; endbr64, mov, return.
        assert_eq!((longer.instructions, longer.called), (7, 3));
        assert!(executed(&functions, "none").is_err());
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(1), "1");
        assert_eq!(grouped(1234), "1,234");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
