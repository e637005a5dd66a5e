//! One plan after the other, on several threads, with somebody who looks whether they come to an end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use driver_scope::platform::Sim;

use crate::book::{lock, Book};
use crate::chance::seed_of;
use crate::plan::Plan;
use crate::report::{Count, Tally};
use crate::run::{on_host, on_sim};

/// How often the others are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How often a line of progress is printed.
const OFTEN: Duration = Duration::from_secs(5);
/// So many looks a plan may last: a minute. (Looks are counted, and not time: who looks stands still as well when the machine does.)
pub const PATIENCE: u32 = 600;

/// Names a file in which it is noted what is under way: for a process that crashes, and can tell nothing itself.
pub const NOTE: &str = "DRIVER_SCOPE_SOAK_NOTE";

/// A soak.
pub struct Soak {
    /// Of which the seeds of the plans are made.
    pub master: u64,
    /// Only this plan, again and again.
    pub only: Option<u64>,
    /// For so long.
    pub time: Duration,
    /// A tenth of it on `Sim`.
    pub with_sim: bool,
    /// How many plans at the same time.
    pub workers: usize,
}

/// A plan after which something is wrong.
pub struct Failure {
    /// Which.
    pub seed: u64,
    /// On `Sim`.
    pub on_sim: bool,
    /// What.
    pub wrongs: Vec<String>,
}

impl Soak {
    /// Runs plans until the time is over or something is wrong.
    ///
    /// # Errors
    /// What was wrong.
    pub fn run(&self) -> Result<Tally, Failure> {
        let started = Instant::now();
        let tally = Tally::default();
        let numbers = AtomicU64::new(0);
        if self.with_sim {
            // By itself: a section on everything holds up all plans of the process, and so would take time from this one.
            self.sims(started, &tally, &numbers)?;
        }
        let failure = Mutex::new(None);
        let over = AtomicBool::new(false);
        thread::scope(|threads| {
            for _ in 0..self.workers {
                let (tally, numbers, failure, over) = (&tally, &numbers, &failure, &over);
                threads.spawn(move || {
                    while !over.load(SeqCst) && started.elapsed() < self.time {
                        if let Err(failed) = self.one(numbers, tally) {
                            over.store(true, SeqCst);
                            lock(failure).get_or_insert(failed);
                        }
                    }
                });
            }
            let mut told = Instant::now();
            while !over.load(SeqCst) && started.elapsed() < self.time {
                thread::sleep(TICK);
                if told.elapsed() >= OFTEN {
                    told = Instant::now();
                    println!("{}", tally.line(started.elapsed()));
                }
            }
        });
        println!("{}", tally.line(started.elapsed()));
        match failure.into_inner().unwrap_or_default() {
            Some(failed) => Err(failed),
            None => Ok(tally),
        }
    }

    fn seed(&self, numbers: &AtomicU64) -> u64 {
        self.only
            .unwrap_or_else(|| seed_of(self.master, numbers.fetch_add(1, SeqCst)))
    }

    fn one(&self, numbers: &AtomicU64, tally: &Tally) -> Result<(), Failure> {
        let seed = self.seed(numbers);
        let book = Arc::new(Book::default());
        looked_after(seed, false, &book, || on_host(&Plan::of(seed), &book));
        tally.take(&book.tally);
        judge(seed, false, book.wrongs())
    }

    fn sims(&self, started: Instant, tally: &Tally, numbers: &AtomicU64) -> Result<(), Failure> {
        while started.elapsed() < self.time / 10 {
            let seed = self.seed(numbers);
            let (book, _, failure) = twice_on_sim(seed);
            tally.take(&book.tally);
            failure.map_or(Ok(()), Err)?;
        }
        println!("{}", tally.line(started.elapsed()));
        Ok(())
    }
}

/// Runs a plan on `Sim`, twice. What is noted of it, a number that tells its transcript from others, and what was wrong; or that the two transcripts differ.
#[must_use]
pub fn twice_on_sim(seed: u64) -> (Arc<Book>, u64, Option<Failure>) {
    let plan = Plan::of(seed);
    let [(book, first), (again, second)] = [(); 2].map(|()| {
        let sim = Sim::with_log();
        let book = Arc::new(Book::with_transcript(sim.clone()));
        let hash = looked_after(seed, true, &book, || on_sim(&plan, sim, &book));
        (book, hash)
    });
    book.count(Count::PlansOnSim);
    let mut wrongs = book.wrongs();
    if first != second {
        let (one, other) = (book.transcript(), again.transcript());
        let differs = one.iter().zip(&other).find(|(one, other)| one != other);
        wrongs.push(format!("two transcripts differ: {differs:?}"));
    }
    (book, first, judge(seed, true, wrongs).err())
}

fn judge(seed: u64, on_sim: bool, wrongs: Vec<String>) -> Result<(), Failure> {
    match wrongs.is_empty() {
        true => Ok(()),
        false => Err(Failure {
            seed,
            on_sim,
            wrongs,
        }),
    }
}

/// How to run a plan again.
#[must_use]
pub fn command(seed: u64, on_sim: bool) -> String {
    let sim = if on_sim { " --sim" } else { "" };
    format!("cargo xtask soak --seed {seed}{sim}")
}

/// What is under way: its number, and what is noted of it.
struct UnderWay {
    number: u64,
    seed: u64,
    on_sim: bool,
    book: Arc<Book>,
    /// How many looks it has lasted.
    looks: u32,
}

static UNDER_WAY: Mutex<Vec<UnderWay>> = Mutex::new(Vec::new());

/// Runs a plan, with somebody who looks whether it comes to its end. If not, nothing more can be done: that is the end of the process.
fn looked_after<R>(seed: u64, on_sim: bool, book: &Arc<Book>, run: impl FnOnce() -> R) -> R {
    static LOOKER: Once = Once::new();
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    LOOKER.call_once(|| {
        thread::spawn(|| loop {
            thread::sleep(TICK);
            if let Some(stuck) = look(PATIENCE) {
                println!("{stuck}");
                std::process::exit(1);
            }
        });
    });
    let number = NUMBERS.fetch_add(1, SeqCst);
    lock(&UNDER_WAY).push(UnderWay {
        number,
        seed,
        on_sim,
        book: Arc::clone(book),
        looks: 0,
    });
    if let Some(file) = std::env::var_os(NOTE) {
        // Without it a crash is found all the same.
        let _ = std::fs::write(file, under_way());
    }
    let result = run();
    lock(&UNDER_WAY).retain(|other| other.number != number);
    result
}

/// How to run again what is under way.
pub(crate) fn under_way() -> String {
    let all = lock(&UNDER_WAY);
    let commands = all.iter().map(|one| command(one.seed, one.on_sim));
    commands.map(|command| format!("\n  {command}")).collect()
}

/// Looks at what is under way. What there is to say if it does not end.
fn look(patience: u32) -> Option<String> {
    let mut all = lock(&UNDER_WAY);
    all.iter_mut().for_each(|one| one.looks += 1);
    let stuck = all.iter().find(|one| one.looks > patience)?;
    Some(format!(
        "plan {} does not end; replay it by\n  {}\nWhat was wrong so far: {:?}\nHow far its drivers are:\n{}\
        The last lines of its transcript, if there is one: {:#?}\nWhat they were to do: {:?}",
        stuck.seed,
        command(stuck.seed, stuck.on_sim),
        stuck.book.wrongs(),
        stuck.book.state(),
        stuck.book.last_lines(20),
        Plan::of(stuck.seed),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_does_not_end_is_told() {
        let book = Arc::default();
        let told = looked_after(7, false, &book, || (0..5).find_map(|_| look(3)));
        let told = told.expect("after more than three looks");
        assert!(told.contains("cargo xtask soak --seed 7\n"), "{told}");
        assert!(lock(&UNDER_WAY).is_empty());
    }
}
