//! What was promised, and whether this run bears it out. Told, never asserted: a loaded machine breaks no promise.

use driver_scope_benches::batch::Form;
use driver_scope_benches::report::time;
use driver_scope_benches::stats::{difference, ratio, Spread};

use super::candidates::{Candidate, Protection};
use super::measure::{Measured, THREADS};
use super::tables::raw;

fn verdict(holds: bool) -> &'static str {
    if holds {
        "PASS"
    } else {
        "FAIL"
    }
}

pub fn print(candidates: &[Candidate], measured: &Measured) {
    println!("Bounds. The first line of each is the one that was promised; the others say how far it carries.\n");
    fastest(candidates, measured);
    check(measured);
    port(measured);
    println!();
}

/// All forms, the called one with one thread first.
fn settings() -> impl Iterator<Item = (Form, usize)> {
    Form::ALL
        .into_iter()
        .flat_map(|form| THREADS.map(|threads| (form, threads)))
}

fn fastest(candidates: &[Candidate], measured: &Measured) {
    for (form, threads) in settings() {
        for ours in ["revocable-c", "devres-c"] {
            let samples = measured.samples(ours, form, threads);
            let nearest = candidates
                .iter()
                .filter(|c| c.protection == Protection::Yes && c.reads == 1)
                // Strategy (c) itself, by its other names.
                .filter(|c| !["revocable-c", "devres-c", "port-1"].contains(&c.id.as_str()))
                .map(|c| {
                    let theirs = measured.samples(&c.id, form, threads);
                    (ratio(theirs, samples), &c.name)
                })
                .min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((ratio, name)) = nearest else { return };
            println!(
                "  {} (1) {ours}, {}, {threads} thread(s): the fastest protected read? The nearest, {name}, takes {ratio:.2} times as long",
                verdict(ratio > 1.0),
                form.name()
            );
        }
    }
}

fn check(measured: &Measured) {
    const AT_MOST: f64 = 1.5;
    for (form, threads) in settings() {
        for ours in ["revocable-c", "devres-c"] {
            let samples = measured.samples(ours, form, threads);
            let flag = measured.samples("flag", form, threads);
            let (ratio, more) = (ratio(samples, flag), difference(samples, flag));
            println!(
                "  {} (2) {ours}, {}, {threads} thread(s): at most {AT_MOST} x flag check + read? {ratio:.2} x, {} more",
                verdict(ratio <= AT_MOST),
                form.name(),
                time(more)
            );
        }
    }
}

fn port(measured: &Measured) {
    const AT_MOST: f64 = 1.1;
    for (form, threads) in settings() {
        let of = |id: &str| measured.samples(id, form, threads);
        let port = |n: u32| of(&format!("port-{n}"));
        let entry = |n: u32| difference(port(n), of(&raw(n)));
        // What an entry costs by itself: it is the constant that 16 reads must do with.
        let constant = entry(1);
        let (ours, theirs) = (Spread::of(port(16)).median, Spread::of(of("raw-16")).median);
        let left = ours - AT_MOST * theirs;
        println!(
            "  {} (3) {}, {threads} thread(s): a port entry around 16 reads at most {AT_MOST} x 16 raw reads + the constant of an entry? {} against {AT_MOST} x {} + {}",
            verdict(left <= constant),
            form.name(),
            time(ours),
            time(theirs),
            time(constant.max(0.0)),
        );
        println!(
            "           port16 / ({AT_MOST} raw16) = {:.2}; a constant of {} would do; port(n) - raw(n) for n = 1, 4, 16, 64: {}",
            ours / (AT_MOST * theirs),
            time(left.max(0.0)),
            [1, 4, 16, 64].map(|n| format!("{:.2} ns", entry(n))).join(", ")
        );
    }
}
