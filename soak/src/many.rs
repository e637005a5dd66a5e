//! One plan after the other, on several threads, with somebody who looks whether they come to an end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::chance::seed_of;
use crate::plan::Plan;
use crate::report::{Count, Tally};
use crate::run::{on_host, on_sim};
use crate::watch::{lock, Book};

/// How often the others are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How often a line of progress is printed.
const OFTEN: Duration = Duration::from_secs(5);
/// So many looks a plan may last: a minute. (Looks are counted, and not time: who looks stands still as well when the machine does.)
pub const PATIENCE: u32 = 600;

/// What a worker is at: a seed, what is noted of it, and how many looks it has lasted.
type Place = Mutex<Option<(u64, Arc<Book>, u32)>>;

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
        let places: Vec<Place> = (0..self.workers).map(|_| Mutex::default()).collect();
        thread::scope(|threads| {
            for place in &places {
                let (tally, numbers, failure, over) = (&tally, &numbers, &failure, &over);
                thread::Builder::new()
                    .spawn_scoped(threads, move || {
                        while !over.load(SeqCst) && started.elapsed() < self.time {
                            if let Err(failed) = self.one(place, numbers, tally) {
                                over.store(true, SeqCst);
                                lock(failure).get_or_insert(failed);
                            }
                        }
                    })
                    .expect("a thread");
            }
            let mut told = Instant::now();
            while !over.load(SeqCst) && started.elapsed() < self.time {
                thread::sleep(TICK);
                if told.elapsed() >= OFTEN {
                    told = Instant::now();
                    println!("{}", tally.line(started.elapsed()));
                }
                places.iter().for_each(look);
            }
            // The last ones are looked after as well.
            while places.iter().any(|place| lock(place).is_some()) {
                thread::sleep(TICK);
                places.iter().for_each(look);
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

    fn one(&self, place: &Place, numbers: &AtomicU64, tally: &Tally) -> Result<(), Failure> {
        let seed = self.seed(numbers);
        let book = Arc::new(Book::default());
        *lock(place) = Some((seed, Arc::clone(&book), 0));
        on_host(&Plan::of(seed), &book);
        *lock(place) = None;
        tally.take(&book.tally);
        judge(seed, false, book.wrongs())
    }

    fn sims(&self, started: Instant, tally: &Tally, numbers: &AtomicU64) -> Result<(), Failure> {
        while started.elapsed() < self.time / 10 {
            let seed = self.seed(numbers);
            tally.take(&twice_on_sim(seed)?.tally);
        }
        println!("{}", tally.line(started.elapsed()));
        Ok(())
    }
}

/// Runs a plan on `Sim`, twice.
///
/// # Errors
/// What was wrong; or that the two transcripts differ.
pub fn twice_on_sim(seed: u64) -> Result<Arc<Book>, Failure> {
    let plan = Plan::of(seed);
    let [(book, first), (again, second)] = [(); 2].map(|()| on_sim(&plan));
    book.count(Count::PlansOnSim);
    let mut wrongs = book.wrongs();
    if first != second {
        let (one, other) = (book.transcript(), again.transcript());
        let differs = one.iter().zip(&other).find(|(one, other)| one != other);
        wrongs.push(format!("two transcripts differ: {differs:?}"));
    }
    judge(seed, true, wrongs).map(|()| book)
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

/// Looks whether a plan has come to its end in time. If not, nothing more can be done.
fn look(place: &Place) {
    let mut place = lock(place);
    let Some((seed, book, looks)) = &mut *place else {
        return;
    };
    *looks += 1;
    if *looks > PATIENCE {
        println!("{}", stuck(*seed, book));
        std::process::exit(1);
    }
}

/// What there is to say of a plan that does not end.
#[must_use]
pub fn stuck(seed: u64, book: &Book) -> String {
    format!(
        "plan {seed} does not end; replay it by\n  {}\nWhat was wrong so far: {:?}\nHow far its drivers are:\n{}What they were to do: {:#?}",
        command(seed, false),
        book.wrongs(),
        book.state(),
        Plan::of(seed)
    )
}
