//! What one read of a register costs: by an address, by driver-scope, by other crates. `cargo xtask bench access`

mod access {
    pub mod bounds;
    pub mod candidates;
    pub mod count;
    pub mod measure;
    pub mod tables;
}

use std::process::ExitCode;

use driver_scope_benches::{machine, platform};

use access::count::Counts;
use access::{bounds, candidates, count, measure, tables};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, rest @ ..] = args.as_slice() {
        if flag == "--count" {
            return count::child(rest);
        }
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    if !platform::membarrier_works() {
        eprintln!("access: membarrier(2) does not work here, so strategy (c) would be measured as what it is not");
        return ExitCode::FAILURE;
    }
    machine::print();
    let candidates = candidates::all();
    for candidate in &candidates {
        candidate.verify();
    }
    println!(
        "{} candidates: each reads the right value, and each revocable one nothing after it was revoked\n",
        candidates.len()
    );
    let measured = measure::all(&candidates, quick);
    let counts = if quick {
        println!("quick: every candidate ran; no figures are claimed");
        Counts::default()
    } else {
        let counts = count::all(&candidates);
        tables::print(&candidates, &measured, &counts);
        bounds::print(&candidates, &measured, &counts);
        counts
    };
    match tables::write(&candidates, &measured, &counts) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("access: writing the figures: {error}");
            ExitCode::FAILURE
        }
    }
}
