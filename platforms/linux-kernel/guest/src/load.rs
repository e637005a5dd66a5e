//! The driver under load, unbound and bound again: timers at 100 us, work, interrupts, and handles that it has forgotten.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use linux_guest::{Report, Step};

use crate::client::Client;
use crate::file::{Edu, State};
use crate::job::unload;
use crate::leaks::{nothing_left, slab, something_there};
use crate::log::Log;
use crate::module::LOAD;

const RUN: Duration = Duration::from_millis(200);
/// How often, if nothing is said.
const CYCLES: u64 = 20;
/// The reader is told so often how far it is.
const OFTEN: Duration = Duration::from_secs(10);
/// What the memory for small objects may grow by in the second half of the cycles, in KiB. (KASAN keeps what was freed for a while.)
const GROWTH: u64 = 8192;

/// `cycles`: also with another process, which uses the driver meanwhile.
pub fn run(report: &mut Report, log: &mut Log, cycles: Option<u64>) -> Step<()> {
    report.step("load-load", LOAD.load())?;
    report.check("load-there", something_there(LOAD));
    report.check("load-runs", runs(report));
    report.step("load-unbind", LOAD.unbind())?;
    report.check("load-nothing-left", nothing_left(LOAD));
    report.step("load-cycles", again(CYCLES, report, log))?;
    if let Some(cycles) = cycles {
        report.step("torture", torture(cycles, report, log))?;
        report.check("torture-nothing-left", nothing_left(LOAD));
    }
    report.step("load-unload", unload(LOAD))?;
    report.check("log-load", log.pass_on(report));
    Ok(())
}

/// What it does by itself shows in its statistics.
fn runs(report: &Report) -> Result<(), String> {
    let edu = Edu::open(LOAD.file)?;
    let before = edu.state()?;
    thread::sleep(RUN);
    let after = edu.state()?;
    report.info(&format!("after {RUN:?}: {after:?}"));
    let grew = |name: &str, state: &State| -> Result<bool, String> {
        Ok(state.stat(name)? > before.stat(name)?)
    };
    for name in ["interrupts", "samples"] {
        if !grew(name, &after)? {
            return Err(format!("no more {name} than before: {after:?}"));
        }
    }
    Ok(())
}

/// Bound for a moment each time, which is of another length each time.
fn again(cycles: u64, report: &Report, log: &mut Log) -> Result<(), String> {
    let mut told = Instant::now();
    let mut took = Took::default();
    let mut half = 0;
    for cycle in 0..cycles {
        if cycle == cycles / 2 {
            half = slab()?;
        }
        took.one().map_err(|why| format!("cycle {cycle}: {why}"))?;
        if cycle % 16 == 0 {
            nothing_left(LOAD).map_err(|why| format!("cycle {cycle}: {why}"))?;
        }
        log.pass_on(report)?;
        if told.elapsed() > OFTEN {
            told = Instant::now();
            report.info(&format!("{} of {cycles} cycles: {took}", cycle + 1));
        }
    }
    let end = slab()?;
    report.info(&format!(
        "{cycles} cycles: {took}; {half} KiB of small objects in the middle, {end} KiB at the end"
    ));
    if end > half + GROWTH {
        return Err(format!(
            "small objects have grown from {half} KiB to {end} KiB"
        ));
    }
    Ok(())
}

/// What the cycles took.
#[derive(Default)]
struct Took {
    cycles: u32,
    binding: Duration,
    unbinding: Duration,
}

impl Took {
    /// One more.
    fn one(&mut self) -> Result<(), String> {
        let began = Instant::now();
        LOAD.bind()?;
        self.binding += began.elapsed();
        // Up to 5 ms, from one to the next in no order.
        thread::sleep(Duration::from_micros(
            u64::from(self.cycles) * 3_571 % 5_003,
        ));
        let began = Instant::now();
        LOAD.unbind()?;
        self.unbinding += began.elapsed();
        self.cycles += 1;
        Ok(())
    }
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = |time: Duration| (time / self.cycles.max(1)).as_millis();
        let (binding, unbinding) = (each(self.binding), each(self.unbinding));
        write!(f, "{binding} ms to bind and {unbinding} ms to unbind")
    }
}

fn torture(cycles: u64, report: &Report, log: &mut Log) -> Result<(), String> {
    let client = Client::start()?;
    let cycled = again(cycles, report, log);
    let did = client.stop()?;
    report.info(&format!("the other process: {did}"));
    cycled?;
    did.enough()
}
