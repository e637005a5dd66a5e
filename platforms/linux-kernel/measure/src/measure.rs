//! `job=measure`: how many instructions each path takes. To be run where QEMU counts them, on one processor.

use std::thread;
use std::time::Duration;

use crate::clock::{instructions, own, spin};
use crate::driver::Driver;
use crate::{at, read, say, write, Result};

const REPEATS: usize = 21;
/// More than a transfer takes, by QEMU's virtual clock. (A factorial takes as long as a thread of QEMU's, so its interrupt comes at any place.)
const TRANSFER: Duration = Duration::from_millis(150);
const TRACING: &str = "/sys/kernel/tracing";

pub fn run(driver: &Driver) -> Result<()> {
    check()?;
    driver.load()?;
    let mut probe = Vec::new();
    let mut remove = Vec::new();
    for _ in 0..REPEATS {
        thread::sleep(Duration::from_millis(20));
        remove.push(of(own, || driver.unbind())?);
        thread::sleep(Duration::from_millis(20));
        probe.push(of(own, || driver.bind())?);
    }
    tell("probe", probe);
    tell("remove", remove);

    let mut file = driver.open()?;
    let mut start = Vec::new();
    let mut failing = Vec::new();
    for _ in 0..REPEATS {
        // Not a command: as far as a command comes that is none.
        failing.push(of(own, || Ok(file.command("receive 0 ?").is_err()))?);
        start.push(of(own, || at("receive", file.command("receive 0 4")))?);
        thread::sleep(TRANSFER);
        file.wait_for("transfer idle")?;
    }
    tell("start", start);
    tell("failing", failing);
    interrupts(driver)?;
    drop(file);
    driver.unload()
}

/// Sees that instructions are what is counted.
fn check() -> Result<()> {
    // Two instructions each; short enough to come between other things that the kernel does.
    const TURNS: u64 = 50_000;
    for (name, clock) in [
        ("loop-whole", instructions as fn() -> u64),
        ("loop-own", own),
    ] {
        let mut took = Vec::new();
        for _ in 0..REPEATS {
            took.push(of(clock, || {
                spin(TURNS);
                Ok(())
            })?);
        }
        tell(name, took);
    }
    Ok(())
}

fn of<T>(clock: fn() -> u64, what: impl FnOnce() -> Result<T>) -> Result<u64> {
    let before = clock();
    what()?;
    Ok(clock() - before)
}

/// The least and the middle one.
fn tell(name: &str, mut values: Vec<u64>) {
    values.sort_unstable();
    let all: Vec<String> = values.iter().map(ToString::to_string).collect();
    say(&format!(
        "MEASURE {name} least={} middle={} all={}",
        values[0],
        values[values.len() / 2],
        all.join(",")
    ));
}

/// What comes of an interrupt: from where the kernel says that it enters the handler to where it says that it has returned, and to where the processor is idle
/// again.
fn interrupts(driver: &Driver) -> Result<()> {
    let mut file = driver.open()?;
    write(&format!("{TRACING}/trace_clock"), "x86-tsc")?;
    for event in [
        "irq/irq_handler_entry",
        "irq/irq_handler_exit",
        "sched/sched_switch",
    ] {
        write(&format!("{TRACING}/events/{event}/enable"), "1")?;
    }
    for _ in 0..REPEATS {
        at("receive", file.command("receive 0 4"))?;
        thread::sleep(Duration::from_millis(20));
        thread::sleep(TRANSFER);
        file.wait_for("transfer idle")?;
    }
    write(&format!("{TRACING}/tracing_on"), "0")?;
    let lines = driver.interrupts()?;
    let number = lines.first().and_then(|line| line.trim().split(':').next());
    let number = number.ok_or("no interrupt is the driver's")?;
    let trace = read(&format!("{TRACING}/trace"))?;
    let (handler, until_idle) = at("trace", took(&trace, number))?;
    tell("interrupt", handler);
    tell("until-idle", until_idle);
    Ok(())
}

/// How long the handler of an interrupt took; and, for those that came while the processor was idle, how long until it was so again.
fn took(trace: &str, number: &str) -> Result<(Vec<u64>, Vec<u64>)> {
    let (mut handler, mut until_idle) = (Vec::new(), Vec::new());
    let (mut entered, mut woken) = (None, None);
    for line in trace.lines() {
        // `    <idle>-0       [000] d.h1. 1234567: irq_handler_entry: irq=24 name=edu`
        let mut words = line.split_whitespace();
        let task = words.next().unwrap_or_default();
        let Some(stamp) = words.find_map(|word| word.strip_suffix(':')?.parse::<u64>().ok()) else {
            continue;
        };
        let event = words.next().unwrap_or_default();
        let has = |text: &str| line.split_whitespace().any(|word| word == text);
        match event {
            "irq_handler_entry:" if has(&format!("irq={number}")) => {
                entered = Some(stamp);
                woken = task.starts_with("<idle>").then_some(stamp);
            }
            "irq_handler_exit:" if has(&format!("irq={number}")) => {
                handler.extend(entered.take().map(|entered| stamp - entered));
            }
            "sched_switch:" if has("next_comm=swapper/0") => {
                until_idle.extend(woken.take().map(|woken| stamp - woken));
            }
            _ => {}
        }
    }
    if handler.is_empty() || until_idle.is_empty() {
        return Err(format!(
            "{} handlers, {} of them while idle",
            handler.len(),
            until_idle.len()
        ));
    }
    Ok((handler, until_idle))
}
