//! What timers cost, and how late they are: our queue beside other containers, runtimes and Linux's own. `cargo xtask bench timers`

mod timers {
    pub mod candidates;
    pub mod checked;
    pub mod containers;
    pub mod count;
    pub mod heaps;
    pub mod lateness;
    pub mod measure;
    pub mod ours;
    pub mod runtimes;
    pub mod subject;
    pub mod tables;
    pub mod wheels;
}

use std::process::ExitCode;

use driver_scope_benches::machine;
use driver_scope_benches::report::Records;

use timers::{candidates, count, lateness, measure, tables};

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
    let mut records = Records::default();
    if quick {
        lateness::measure(quick, &mut records);
        println!("quick: every candidate ran; no figures are claimed");
        return ExitCode::SUCCESS;
    }
    let counts = count::all(&candidates);
    tables::print(&candidates, &measured, &counts);
    lateness::measure(quick, &mut records);
    tables::bounds(&candidates, &measured, &counts);
    match tables::write(&candidates, &measured, &counts, records) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("timers: writing the figures: {error}");
            ExitCode::FAILURE
        }
    }
}
