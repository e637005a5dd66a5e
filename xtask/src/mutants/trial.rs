//! Running the tests with a mutant switched on: those that come by it, the likeliest first.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};

use super::known::{Outcome, Results};
use super::list::Mutant;
use crate::util::{self, step};

/// What lasts ten times as long as without a mutant hangs; but not before this, since the machine may be loaded, and after that in any case.
const LEAST: Duration = Duration::from_secs(15);
const MOST: Duration = Duration::from_secs(90);
/// For a program or a model without a mutant.
const UNTOUCHED: Duration = Duration::from_secs(600);
/// A mutant may ask for any amount of memory. In KiB.
const MEMORY: u32 = 8 << 20;
/// A test that fails beside all the others, and not alone, may have failed by the load.
const CONFIRMED: usize = 3;
/// How often it is looked whether a test has failed.
const LOOK: Duration = Duration::from_millis(200);

/// A test program, or one test of it.
pub(super) struct Unit {
    program: PathBuf,
    /// As it is told: `timer`, or `loom dma::model`.
    name: String,
    test: Option<String>,
    took: Duration,
    /// By number, whether it comes by.
    reached: Vec<bool>,
}

impl Unit {
    fn limit(&self) -> Duration {
        match self.test {
            None => (10 * self.took).clamp(LEAST, MOST),
            // Loom itself ends what goes on for ever.
            Some(_) => (20 * self.took).clamp(MOST, UNTOUCHED),
        }
    }

    pub(super) fn reaches(&self, mutant: &Mutant) -> bool {
        self.reached[mutant.number as usize]
    }
}

/// A program as one unit, or each of its tests.
pub(super) fn units(programs: &BTreeMap<String, PathBuf>, each_test: bool) -> Result<Vec<Unit>> {
    let mut units = Vec::new();
    let unit = |name: String, program: &Path, test: Option<String>| Unit {
        program: program.to_owned(),
        name,
        test,
        took: Duration::ZERO,
        reached: Vec::new(),
    };
    for (name, program) in programs {
        if !each_test {
            units.push(unit(name.clone(), program, None));
            continue;
        }
        let list = util::output(Command::new(program).arg("--list"), LEAST)?;
        for test in String::from_utf8_lossy(&list)
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
        {
            units.push(unit(
                format!("{name} {test}"),
                program,
                Some(test.to_owned()),
            ));
        }
    }
    Ok(units)
}

/// Runs each with no mutant switched on: it must pass, and it is noted which mutants it comes by.
pub(super) fn examine(units: &mut [Unit], count: usize, folder: &Path) -> Result<()> {
    let notes = folder.join("notes");
    let file = folder.join("untouched.txt");
    for unit in units {
        let mut began = Instant::now();
        // On a busy machine one may need a second try.
        let passed = (0..CONFIRMED).try_fold(false, |passed, _| {
            if passed {
                return Ok::<_, anyhow::Error>(true);
            }
            // Numbers begin with one.
            fs::write(&notes, vec![0; count + 1])?;
            let mut command = command(unit, unit.test.as_deref(), UNTOUCHED, folder);
            command
                .env("XTASK_MUTANTS_NOTES", &notes)
                .env("XTASK_MUTANTS", (count + 1).to_string());
            began = Instant::now();
            Ok(finish(command, &file)?.is_some_and(|status| status.success()))
        })?;
        ensure!(
            passed,
            "{} does not pass as it is, see {}",
            unit.name,
            file.display()
        );
        unit.took = began.elapsed();
        unit.reached = fs::read(&notes)?
            .into_iter()
            .map(|byte| byte != 0)
            .collect();
    }
    Ok(())
}

/// Tries each mutant, several at a time, and notes what becomes of it. `surviving` is what to call one that survives now, by whether any test came by.
pub(super) fn try_all(
    mutants: &[&Mutant],
    units: &[Unit],
    folder: &Path,
    results: &mut Results,
    surviving: impl Fn(&Mutant, bool) -> Option<Outcome> + Sync,
) -> Result<()> {
    // More than there are processors: tests sleep, and those that hang mostly do, too.
    let workers = 2 * thread::available_parallelism().map_or(1, |n| n.get());
    let next = AtomicUsize::new(0);
    // How often a unit has caught a mutant of a file.
    let catches: Mutex<BTreeMap<(&str, &str), usize>> = Mutex::default();
    let results = Mutex::new(results);
    let work = |worker: usize| -> Result<()> {
        let folder = folder.join(worker.to_string());
        fs::create_dir_all(&folder)?;
        while let Some((number, mutant)) = {
            let number = next.fetch_add(1, Ordering::Relaxed);
            mutants.get(number).map(|mutant| (number, *mutant))
        } {
            let mut order: Vec<&Unit> = units.iter().filter(|unit| unit.reaches(mutant)).collect();
            {
                let catches = lock(&catches);
                order.sort_by_key(|unit| {
                    let caught = catches
                        .get(&(mutant.file.as_str(), unit.name.as_str()))
                        .copied();
                    (std::cmp::Reverse(caught.unwrap_or(0)), unit.took)
                });
            }
            let began = Instant::now();
            let (outcome, by) = match attempt(mutant, &order, &folder)? {
                Some((outcome, unit, by)) => {
                    *lock(&catches)
                        .entry((&mutant.file, &unit.name))
                        .or_default() += 1;
                    (outcome, by)
                }
                None => match surviving(mutant, !order.is_empty()) {
                    Some(outcome) => (outcome, String::new()),
                    None => continue,
                },
            };
            let took = began.elapsed().as_secs_f64();
            let count = mutants.len();
            step(format!(
                "{:>4}/{count} {outcome:<9} {} ({took:.1} s{}{by})",
                number + 1,
                mutant.name,
                if by.is_empty() { "" } else { ", " }
            ));
            lock(&results).note(&mutant.key, outcome, &by)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|worker| scope.spawn(move || work(worker)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().expect("a worker has panicked"))
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the units until one notices.
fn attempt<'a>(
    mutant: &Mutant,
    units: &[&'a Unit],
    folder: &Path,
) -> Result<Option<(Outcome, &'a Unit, String)>> {
    let run = |unit: &Unit, test: Option<&str>| {
        let mut command = command(unit, test, unit.limit(), folder);
        command.env("XTASK_MUTANT", mutant.number.to_string());
        finish(command, &folder.join("output.txt"))
    };
    for unit in units {
        let status = run(unit, unit.test.as_deref())?;
        match status.map_or(Some(Outcome::Caught), ending) {
            None => {}
            Some(Outcome::Hung) => return Ok(Some((Outcome::Hung, unit, unit.name.clone()))),
            // Of one test alone there is nothing to be told apart; and nothing aborts by the load.
            Some(_) if unit.test.is_some() || !fails(status) => {
                // How it ended: if that is no abort, look at what it printed.
                let ended = status.map(|status| status.to_string()).unwrap_or_default();
                return Ok(Some((
                    Outcome::Caught,
                    unit,
                    format!("{} {ended}", unit.name),
                )));
            }
            Some(_) => {
                let said =
                    String::from_utf8_lossy(&fs::read(folder.join("output.txt"))?).into_owned();
                for test in failed(&said).take(CONFIRMED) {
                    if run(unit, Some(test))?.is_none_or(|status| ending(status).is_some()) {
                        return Ok(Some((
                            Outcome::Caught,
                            unit,
                            format!("{} {test}", unit.name),
                        )));
                    }
                }
            }
        }
    }
    Ok(None)
}

/// Whether a test failed, and no more than that.
fn fails(status: Option<ExitStatus>) -> bool {
    status.is_none_or(|status| status.code() == Some(101))
}

/// What a program's end says of the mutant; nothing, if it passes.
fn ending(status: ExitStatus) -> Option<Outcome> {
    match status.code() {
        Some(0) => None,
        // As `timeout` ends: it sends the signal to its group, so to itself.
        Some(124 | 137) => Some(Outcome::Hung),
        None if std::os::unix::process::ExitStatusExt::signal(&status) == Some(9) => {
            Some(Outcome::Hung)
        }
        _ => Some(Outcome::Caught),
    }
}

/// The tests that failed, as the harness tells them.
pub(super) fn failed(said: &str) -> impl Iterator<Item = &str> {
    said.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("test ")?.split_once(" ... FAILED")?;
        Some(name.split(" - ").next().unwrap_or(name))
    })
}

/// With little memory and little time, both also for what the program starts.
fn command(unit: &Unit, test: Option<&str>, limit: Duration, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            &format!("ulimit -v {MEMORY}; exec timeout -s KILL \"$@\""),
            "sh",
        ])
        .arg(limit.as_secs().to_string())
        .arg(&unit.program)
        .env_remove("RUST_BACKTRACE")
        .current_dir(folder);
    if let Some(test) = test {
        command.args(["--exact", test]);
    }
    command
}

/// Runs to the end, or until it is told that a test has failed: others may then wait for ever.
fn finish(mut command: Command, output: &Path) -> Result<Option<ExitStatus>> {
    let file = fs::File::create(output).with_context(|| output.display().to_string())?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .context("cannot start `sh`")?;
    let began = Instant::now();
    let mut looked = began;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if looked.elapsed() > LOOK {
            looked = Instant::now();
            if failed(&String::from_utf8_lossy(&fs::read(output)?))
                .next()
                .is_some()
            {
                // `timeout` leads the group.
                let group = format!("-{}", child.id());
                Command::new("kill")
                    .args(["-KILL", "--", &group])
                    .status()?;
                child.wait()?;
                return Ok(None);
            }
        }
        // Most are done after some milliseconds.
        thread::sleep((began.elapsed() / 8).clamp(Duration::from_millis(2), LOOK));
    }
}
