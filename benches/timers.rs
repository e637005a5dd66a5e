//! What timers cost: our queue beside other containers, runtimes and Linux's own. `cargo xtask bench timers`

mod timers {
    pub mod candidates;
    pub mod checked;
    pub mod containers;
    pub mod count;
    pub mod heaps;
    pub mod measure;
    pub mod ours;
    pub mod runtimes;
    pub mod subject;
    pub mod tables;
    pub mod wheels;
}

use std::process::ExitCode;

use driver_scope_benches::machine;

use timers::count::Counts;
use timers::{candidates, count, measure, tables};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, rest @ ..] = args.as_slice() {
        if flag == "--count" {
            return count::child(rest);
        }
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    machine::print();
    let candidates = candidates::all();
    for candidate in &candidates {
        candidate.verify();
    }
    println!(
        "{} candidates: each was seen to fire what is pending and not what was cancelled, in exact order where it promises that\n",
        candidates.iter().filter(|candidate| !candidate.base).count()
    );
    let measured = measure::all(&candidates, quick);
    let counts = if quick {
        println!("quick: every candidate ran; no figures are claimed");
        Counts::default()
    } else {
        let counts = count::all(&candidates);
        tables::print(&candidates, &measured, &counts);
        tables::bounds(&candidates, &measured, &counts);
        counts
    };
    match tables::write(&candidates, &measured, &counts) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("timers: writing the figures: {error}");
            ExitCode::FAILURE
        }
    }
}
