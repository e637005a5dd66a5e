//! `job=try`: a driver's whole life, twice.
//!
//! What a mutant does wrong is mostly seen by the kernel's own checkers, in its log: here only what follows from it to see is done. The steps are said before
//! they are made, so that the log shows where it happened.

use std::thread;
use std::time::Duration;

use crate::driver::{Driver, Open};
use crate::{at, read, say, Result};

/// Longer than the time-out of a factorial or a transfer.
const OVER: Duration = Duration::from_millis(1500);

pub fn run(driver: &Driver) -> Result<()> {
    step("load");
    driver.load()?;
    let mut file = driver.open()?;
    use_it(&mut file)?;

    step("unbind idle");
    driver.unbind()?;
    gone(&mut file)?;
    drop(file);
    if !driver.interrupts()?.is_empty() {
        say("SEEN an interrupt that stayed requested");
    }
    if !driver.threads()?.is_empty() {
        say("SEEN a thread that stayed");
    }
    thread::sleep(OVER);

    step("bind");
    driver.bind()?;
    let mut file = driver.open()?;
    use_it(&mut file)?;

    step("unbind under way");
    at("factorial", file.command("factorial 12"))?;
    at("send", file.command("send 0 4096"))?;
    driver.unbind()?;
    gone(&mut file)?;
    drop(file);
    thread::sleep(OVER);

    step("bind again");
    driver.bind()?;
    let mut file = driver.open()?;
    use_it(&mut file)?;

    step("unload under way");
    at("factorial", file.command("factorial 12"))?;
    at("send", file.command("send 0 4096"))?;
    drop(file);
    driver.unload()?;
    thread::sleep(OVER);
    objects()
}

/// What the kernel has counted of timers and work that were freed or begun anew while they were active, if it does. It may have said so, too; or not, if it was built without
/// warnings.
fn objects() -> Result<()> {
    let Ok(text) = read("/sys/kernel/debug/debug_objects/stats") else {
        return Ok(());
    };
    let count = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches([' ', ':'])
            .trim()
            .parse::<u32>()
            .ok()
    };
    match count("warnings") {
        None => Err(format!("no warnings are counted in {text:?}")),
        Some(0) => Ok(()),
        Some(_) => {
            say("SEEN a timer or work that was freed while it was active");
            Ok(())
        }
    }
}

fn step(name: &str) {
    say(&format!("STEP {name}"));
}

/// A factorial, transfers both ways, statistics.
fn use_it(file: &mut Open) -> Result<()> {
    step("use");
    is("id", &file.line("id ")?, "0x010000ed")?;
    // As soon as the device will: it may be at something of the driver's before.
    retried(file, "factorial 10")?;
    let result = file.wait_for("last factorial 10 = ")?;
    is(
        "10!",
        result.split(' ').next().unwrap_or_default(),
        "3628800",
    )?;
    retried(file, "send 16 4000")?;
    file.wait_for("last transfer to-device 4000 in ")?;
    retried(file, "receive 16 4000")?;
    file.wait_for("last transfer from-device 4000 in ")?;
    let expected = format!("4000 bytes {:#010x}", fnv(4000));
    is("received", &file.line("received ")?, &expected)?;
    for bad in ["factorial", "send 0 4097", "receive 4095 2", "nonsense"] {
        let error = file
            .command(bad)
            .err()
            .and_then(|error| error.raw_os_error());
        if error != Some(rustix::io::Errno::INVAL.raw_os_error()) {
            return Err(format!("`{bad}` gives {error:?}"));
        }
    }
    let (interrupts, samples) = (file.counter("interrupts")?, file.counter("samples")?);
    retried(file, "factorial 5")?;
    file.wait_for("last factorial 5 = ")?;
    let counted = |file: &mut Open| {
        Ok::<_, String>(
            file.counter("interrupts")? > interrupts && file.counter("samples")? > samples,
        )
    };
    for _ in 0..200 {
        if counted(file)? {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    if !counted(file)? {
        return Err(format!("nothing is counted: {:?}", file.state()));
    }
    is("failed", &file.counter("failed")?.to_string(), "0")
}

fn retried(file: &mut Open, command: &str) -> Result<()> {
    for _ in 0..200 {
        match file.command(command) {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::BUSY.raw_os_error()) => {
                thread::sleep(Duration::from_millis(10));
            }
            other => return at(command, other),
        }
    }
    Err(format!("{command}: busy for ever"))
}

fn is(what: &str, value: &str, expected: &str) -> Result<()> {
    if value == expected {
        Ok(())
    } else {
        Err(format!("{what} is {value}, not {expected}"))
    }
}

/// An open file says that the driver is gone.
fn gone(file: &mut Open) -> Result<()> {
    let errors = [file.command("factorial 3").err(), file.state().err()];
    for error in errors {
        let error = error.and_then(|error| error.raw_os_error());
        if error != Some(rustix::io::Errno::NODEV.raw_os_error()) {
            return Err(format!("the file of a driver that is gone gives {error:?}"));
        }
    }
    Ok(())
}

/// FNV-1a of the bytes that `send` sends.
fn fnv(len: usize) -> u32 {
    (0..len).fold(0x811c_9dc5, |hash: u32, i| {
        let byte = (i * 7 + i / 256) & 0xff;
        (hash ^ u32::try_from(byte).expect("a byte")).wrapping_mul(0x0100_0193)
    })
}
