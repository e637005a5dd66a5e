//! What it costs to take one thing away from its readers. `cargo xtask bench revoke`

mod revoke {
    pub mod one;
}

use std::process::ExitCode;

use driver_scope_benches::report::Records;
use driver_scope_benches::{machine, platform};

use revoke::one;

fn main() -> ExitCode {
    let quick = std::env::args().any(|arg| arg == "--quick");
    if !platform::membarrier_works() {
        eprintln!("revoke: membarrier(2) does not work here, so strategy (c) would be measured as what it is not");
        return ExitCode::FAILURE;
    }
    machine::print();
    let mut records = Records::default();
    let measured = one::measure(quick);
    if quick {
        println!("quick: everything was revoked and dropped; no figures are claimed");
    }
    one::report(&measured, &mut records, quick);
    match records.write("revoke") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("revoke: writing the figures: {error}");
            ExitCode::FAILURE
        }
    }
}
