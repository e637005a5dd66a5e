//! `cargo xtask soak`: see `--help`.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use driver_scope_soak::chance::seed_of;
use driver_scope_soak::many::{command, twice_on_sim, Failure, Soak};
use driver_scope_soak::report::{Count, ALL_KINDS_AFTER, ALL_KINDS_OF};

const USAGE: &str = "\
usage: soak [--minutes N] [--master M]   random plans for so long (60 minutes), made of a number
       soak --seed S [--minutes N]       one plan again and again on threads (1 minute)
       soak --seed S --sim               one plan in virtual time, with its transcript
       soak --sim --plans N [--master M] so many plans in virtual time, each twice";

#[derive(Default)]
struct Options {
    minutes: Option<u64>,
    master: Option<u64>,
    seed: Option<u64>,
    plans: Option<u64>,
    sim: bool,
}

fn options(args: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options::default();
    let mut args = args;
    while let Some(option) = args.next() {
        let place = match option.as_str() {
            "--minutes" => &mut options.minutes,
            "--master" => &mut options.master,
            "--seed" => &mut options.seed,
            "--plans" => &mut options.plans,
            "--sim" => {
                options.sim = true;
                continue;
            }
            _ => return None,
        };
        *place = Some(args.next()?.parse().ok()?);
    }
    Some(options)
}

fn main() -> ExitCode {
    let Some(options) = options(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let done = match (options.seed, options.sim) {
        (Some(seed), true) => transcript(seed),
        (None, true) => sims(&options),
        (only, false) => soak(&options, only),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            tell(&failed);
            ExitCode::FAILURE
        }
    }
}

fn tell(failed: &Failure) {
    println!("plan {} went wrong:", failed.seed);
    for wrong in &failed.wrongs {
        println!("  {wrong}");
    }
    println!("replay it by\n  {}", command(failed.seed, failed.on_sim));
    println!("  {}   (in virtual time)", command(failed.seed, true));
}

/// The number that seeds are made of: a new one each time, unless one is asked for.
fn master(options: &Options) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    options
        .master
        .unwrap_or_else(|| now.map_or(0, |now| now.as_nanos() as u64))
}

fn transcript(seed: u64) -> Result<(), Failure> {
    let (book, hash, failure) = twice_on_sim(seed);
    for line in book.transcript() {
        println!("{line}");
    }
    println!("transcript {hash:016x}");
    failure.map_or(Ok(()), Err)
}

fn sims(options: &Options) -> Result<(), Failure> {
    let master = master(options);
    let plans = options.plans.unwrap_or(200);
    println!("{plans} plans on Sim, each twice (--master {master})");
    for number in 0..plans {
        if let (_, _, Some(failure)) = twice_on_sim(seed_of(master, number)) {
            return Err(failure);
        }
    }
    println!("all transcripts are equal");
    Ok(())
}

fn soak(options: &Options, only: Option<u64>) -> Result<(), Failure> {
    let minutes = options
        .minutes
        .unwrap_or(if only.is_some() { 1 } else { 60 });
    let soak = Soak {
        master: master(options),
        only,
        time: Duration::from_secs(60 * minutes),
        with_sim: only.is_none(),
        workers: thread::available_parallelism().map_or(2, |n| n.get().max(2)),
    };
    println!(
        "{minutes} minutes, {} plans at a time (--master {})",
        soak.workers, soak.master
    );
    let tally = soak.run()?;
    print!("{}", tally.table());
    let never = tally.never();
    if only.is_none() && !never.is_empty() {
        println!("a soak that never had: {}", never.join(", "));
        if soak.time >= ALL_KINDS_AFTER && tally.get(Count::Plans) >= ALL_KINDS_OF {
            std::process::exit(1);
        }
    }
    println!("nothing was wrong");
    Ok(())
}
