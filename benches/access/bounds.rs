//! What was promised, and whether this run bears it out. Told, never asserted: a loaded machine breaks no promise.

use driver_scope_benches::batch::Form;
use driver_scope_benches::report::time;
use driver_scope_benches::stats::{difference, ratio, Spread};

use super::candidates::{Candidate, Protection};
use super::count::Counts;
use super::measure::{Measured, THREADS};
use super::tables::raw;

fn verdict(holds: bool) -> &'static str {
    if holds {
        "PASS"
    } else {
        "FAIL"
    }
}

pub fn print(candidates: &[Candidate], measured: &Measured, counts: &Counts) {
    println!("Bounds. The first line of each is the one that was promised; the others say how far it carries.\n");
    fastest(candidates, measured);
    check(measured);
    port(measured, counts);
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

/// That an entry costs a constant and a read inside it nothing more. In instructions the constant is that of an entry around one read; in time it is what
/// is left over (there an entry around one read is no measure: what it loads hides behind the call).
fn port(measured: &Measured, counts: &Counts) {
    const AT_MOST: f64 = 1.1;
    const READS: [u32; 5] = [0, 1, 4, 16, 64];
    let id = |n: u32| format!("port-{n}");
    for (form, threads) in settings() {
        let of = |id: &str| measured.samples(id, form, threads);
        let further = |few: &str, many: &str| difference(of(many), of(few));
        let slope = further(&id(16), &id(64)) / further(&raw(16), &raw(64));
        let (ours, theirs) = (
            Spread::of(of(&id(16))).median,
            Spread::of(of(&raw(16))).median,
        );
        let constant = (ours - AT_MOST * theirs).max(0.0);
        println!(
            "       (3) {}, {threads} thread(s): a port entry around 16 reads takes {} = {AT_MOST} x 16 raw reads ({}) + {}; 48 further reads take {slope:.2} x as long as raw ones",
            form.name(),
            time(ours),
            time(theirs),
            time(constant),
        );
    }
    for form in Form::ALL {
        let count = |id: &str| counts.get(id, form);
        let entries = READS.map(|n| Some(count(&id(n))? - count(&raw(n))?));
        let (Some(ours), Some(theirs), Some(entry)) = (count(&id(16)), count(&raw(16)), entries[1])
        else {
            println!("  NOT COUNTED (3) {}: no instructions", form.name());
            continue;
        };
        println!(
            "  {} (3) {}, instructions: a port entry around 16 reads at most {AT_MOST} x 16 raw reads + the constant, that of one read? {ours:.0} against {AT_MOST} x {theirs:.0} + {entry:.0}; port(n) - raw(n) for n = {}: {}",
            verdict(ours <= AT_MOST * theirs + entry),
            form.name(),
            READS.map(|n| n.to_string()).join(", "),
            entries.map(|entry| entry.map_or("?".to_owned(), |entry| format!("{entry:.0}"))).join(", "),
        );
    }
}
