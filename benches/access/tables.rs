//! The figures.

use std::io;

use driver_scope_benches::batch::Form;
use driver_scope_benches::report::{time, Records, Table, Value};
use driver_scope_benches::stats::{ratio, Spread};

use super::candidates::Candidate;
use super::count::Counts;
use super::measure::{Measured, THREADS};

pub fn print(candidates: &[Candidate], measured: &Measured, counts: &Counts) {
    for form in Form::ALL {
        single(candidates, measured, counts, form);
    }
    for form in Form::ALL {
        several(candidates, measured, counts, form);
    }
}

/// The median and the quartiles around it.
fn spread(samples: &[f64]) -> [String; 2] {
    let spread = Spread::of(samples);
    let digits = if spread.median < 99.5 { 2 } else { 0 };
    [
        time(spread.median),
        format!("{:.digits$}-{:.digits$}", spread.lower, spread.upper),
    ]
}

fn single(candidates: &[Candidate], measured: &Measured, counts: &Counts, form: Form) {
    let mut table = Table::new(&[
        "one read",
        "version",
        "protected",
        "instr.",
        "1 thread",
        "quartiles",
        "x raw",
        "x flag",
        "2 threads",
        "quartiles",
        "x raw",
        "x flag",
    ]);
    for candidate in candidates.iter().filter(|c| c.reads == 1) {
        let mut row = vec![
            candidate.name.clone(),
            candidate.version.to_owned(),
            candidate.protection.name().to_owned(),
            counts.shown(&candidate.id, form),
        ];
        for threads in THREADS {
            let samples = measured.samples(&candidate.id, form, threads);
            row.extend(spread(samples));
            for base in ["raw", "flag"] {
                let base = measured.samples(base, form, threads);
                row.push(format!("{:.2}", ratio(samples, base)));
            }
        }
        table.row(row);
    }
    let rounds = measured.samples("raw", form, 1).len();
    let caption = match form {
        Form::Called => format!(
            "CALLED: the read is in a function of its own, fn(&object) -> Option<u32>, called in a loop. Time of a call, loop included:\n\
             the median of {rounds} rounds, and the quartiles; ratios are medians of the ratios in each round. Instructions include the loop's."
        ),
        Form::Inlined => {
            "INLINED IN A LOOP: the same reads, where the compiler may keep in registers what does not change from one to the next."
                .to_owned()
        }
    };
    table.print(&caption);
}

fn several(candidates: &[Candidate], measured: &Measured, counts: &Counts, form: Form) {
    let mut table = Table::new(&[
        "several reads",
        "instr.",
        "1 thread",
        "quartiles",
        "a read",
        "x raw",
        "2 threads",
        "quartiles",
        "a read",
        "x raw",
    ]);
    let of_interest = |c: &&Candidate| c.reads > 1 || c.id == "raw" || c.id == "port-1";
    for candidate in candidates.iter().filter(of_interest) {
        let mut row = vec![candidate.name.clone(), counts.shown(&candidate.id, form)];
        for threads in THREADS {
            let samples = measured.samples(&candidate.id, form, threads);
            row.extend(spread(samples));
            let reads = f64::from(candidate.reads);
            row.push(time(Spread::of(samples).median / reads));
            let base = measured.samples(&raw(candidate.reads), form, threads);
            row.push(format!("{:.2}", ratio(samples, base)));
        }
        table.row(row);
    }
    let caption = format!(
        "SEVERAL READS, {}: time of all of them together; the ratio is to as many raw reads of one register.",
        form.name()
    );
    table.print(&caption);
}

/// The candidate that reads as often without protection.
pub fn raw(reads: u32) -> String {
    match reads {
        1 => "raw".to_owned(),
        n => format!("raw-{n}"),
    }
}

pub fn write(candidates: &[Candidate], measured: &Measured, counts: &Counts) -> io::Result<()> {
    let mut records = Records::default();
    for candidate in candidates {
        for form in Form::ALL {
            for threads in THREADS {
                let samples = measured.samples(&candidate.id, form, threads);
                let base = measured.samples(&raw(candidate.reads), form, threads);
                let text = |text: &str| Value::Text(text.to_owned());
                let fields = vec![
                    ("candidate", text(&candidate.id)),
                    ("name", text(&candidate.name)),
                    ("version", text(candidate.version)),
                    ("protected", text(candidate.protection.name())),
                    ("form", text(form.name())),
                    ("threads", Value::Number(threads as f64)),
                    ("reads", Value::Number(f64::from(candidate.reads))),
                    ("ratio_to_raw", Value::Number(ratio(samples, base))),
                    (
                        "instructions",
                        counts
                            .get(&candidate.id, form)
                            .map_or(Value::Null, Value::Number),
                    ),
                ];
                records.add_figure(fields, samples);
            }
        }
    }
    records.write("access")
}
