//! The figures.

use std::io;

use driver_scope_benches::report::{time, Records, Table, Value};
use driver_scope_benches::stats::Spread;

use super::candidates::Candidate;
use super::count::Counts;
use super::measure::{Measured, What, PENDING};
use super::subject::{Mix, Op};

pub fn print(candidates: &[Candidate], measured: &Measured, counts: &Counts) {
    for op in Op::ALL {
        for threads in [1, 2] {
            if candidates.iter().any(|c| c.can_with(op, threads)) {
                times(candidates, measured, op, threads);
            }
        }
        instructions(candidates, counts, op);
    }
    drained(candidates, measured);
    memory(candidates, measured);
}

fn median(measured: &Measured, id: &'static str, what: What) -> Option<f64> {
    measured
        .samples(id, what)
        .map(|samples| Spread::of(samples).median)
}

fn times(candidates: &[Candidate], measured: &Measured, op: Op, threads: usize) {
    let mut heads = vec!["pending:".to_owned()];
    for mix in Mix::ALL {
        for pending in PENDING {
            heads.push(format!("{} {}", short(pending), mix.name()));
        }
    }
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&heads);
    for candidate in candidates {
        let mut row = vec![candidate.name.clone()];
        for mix in Mix::ALL {
            for pending in PENDING {
                let what = What {
                    op,
                    mix,
                    pending,
                    threads,
                };
                row.push(median(measured, candidate.id, what).map_or("-".into(), time));
            }
        }
        table.row(row);
    }
    // (Not every size is there with two threads.)
    let rounds = PENDING.map(|pending| {
        let what = What {
            op,
            mix: Mix::Mixed,
            pending,
            threads,
        };
        measured.samples("large", what).map_or(0, <[f64]>::len)
    });
    let rounds = rounds.into_iter().max().unwrap_or_default();
    table.print(&format!(
        "{}, {threads} thread(s): time from one to the next in a thread, loop included; the median of {rounds} rounds",
        op.name().to_uppercase()
    ));
}

fn short(pending: usize) -> String {
    match pending {
        1_000_000 => "1M".into(),
        10_000 => "10k".into(),
        other => other.to_string(),
    }
}

fn instructions(candidates: &[Candidate], counts: &Counts, op: Op) {
    let columns: Vec<(Mix, usize)> = PENDING
        .map(|pending| (Mix::Mixed, pending))
        .into_iter()
        .chain([(Mix::Near, 10_000), (Mix::Far, 10_000)])
        .collect();
    let mut heads = vec!["pending:".to_owned()];
    heads.extend(
        columns
            .iter()
            .map(|&(mix, pending)| format!("{} {}", short(pending), mix.name())),
    );
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&heads);
    for candidate in candidates.iter().filter(|c| c.can(op)) {
        let mut row = vec![candidate.name.clone()];
        for &(mix, pending) in &columns {
            let count = counts.get(candidate.id, op, mix, pending);
            row.push(count.map_or("-".into(), |count| format!("{count:.0}")));
        }
        table.row(row);
    }
    table.print(&format!(
        "{}: instructions, loop included",
        op.name().to_uppercase()
    ));
}

fn drained(candidates: &[Candidate], measured: &Measured) {
    let mut heads = vec!["pending:".to_owned()];
    let columns: Vec<(Mix, usize)> = Mix::ALL
        .into_iter()
        .flat_map(|mix| PENDING[1..].iter().map(move |&pending| (mix, pending)))
        .collect();
    heads.extend(
        columns
            .iter()
            .map(|&(mix, pending)| format!("{} {}", short(pending), mix.name())),
    );
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut longest = Table::new(&heads);
    for candidate in candidates.iter().filter(|c| c.can(Op::Fire) && !c.base) {
        let mut row = vec![candidate.name.clone()];
        for &(mix, pending) in &columns {
            let found = measured.drained.get(&(candidate.id, mix, pending));
            row.push(found.map_or("-".into(), |&(longest, mean)| {
                format!("{} / {}", time(longest), time(mean))
            }));
        }
        longest.row(row);
    }
    longest.print(
        "DRAIN: timers are started, and then all taken out as they expire: the longest single expiry (all others wait for it) / the mean of all",
    );
}

fn memory(candidates: &[Candidate], measured: &Measured) {
    let mut table = Table::new(&[
        "memory",
        "bytes a timer",
        "fixed",
        "exact order",
        "cannot",
        "note",
    ]);
    for candidate in candidates.iter().filter(|c| !c.base) {
        let cannot: Vec<&str> = candidate.cannot.iter().map(|op| op.name()).collect();
        let bytes = measured.memory.get(candidate.id);
        table.row(vec![
            candidate.name.clone(),
            bytes.map_or("-".into(), |bytes| format!("{bytes:.0}")),
            if candidate.fixed > 0 {
                candidate.fixed.to_string()
            } else {
                "-".into()
            },
            if candidate.exact { "yes" } else { "no" }.into(),
            cannot.join(", "),
            candidate.note.into(),
        ]);
    }
    table.print("MEMORY, with a million pending (of timerfd what the program itself has, 10,000), by the allocator; and what they are");
}

/// The two that were promised; and what structures there could have been, which are no rivals: nobody publishes them as timers, or they would need the checks.
pub fn bounds(candidates: &[Candidate], measured: &Measured, counts: &Counts) {
    println!("Bounds. Rivals are what others publish: crates, and the containers of the standard library. On two threads, ours has a queue for each.\n");
    each_figure(measured, counts, &|what, figure| {
        verdict(candidates, what, figure)
    });
    growth(measured, counts);
    println!("\nThe structures that our queue could have had, bare and behind the checks that it makes: what they take of ours.\n");
    each_figure(measured, counts, &|what, figure| {
        structures(candidates, what, figure)
    });
    println!();
}

/// Of candidates, by their ids.
type Figure<'a> = dyn Fn(&'static str) -> Option<f64> + 'a;

/// Has `f` tell of the figures for which a bound was promised; it is also told what they are.
fn each_figure(measured: &Measured, counts: &Counts, f: &dyn Fn(&str, &Figure<'_>)) {
    for op in [Op::StartCancel, Op::Restart] {
        for pending in PENDING {
            for mix in Mix::ALL {
                let about = format!("{} of {}, {}", op.name(), short(pending), mix.name());
                let count = |id: &'static str| counts.get(id, op, mix, pending);
                f(&format!("{about}, instructions"), &count);
                for threads in [1, 2] {
                    let what = What {
                        op,
                        mix,
                        pending,
                        threads,
                    };
                    // On two threads, ours has a queue for each: that is what several are for. (Behind one lock, all wait for one another.)
                    let of = |id| {
                        if (id, threads) == ("large", 2) {
                            "two"
                        } else {
                            id
                        }
                    };
                    let time = |id: &'static str| median(measured, of(id), what);
                    f(&format!("{about}, time, {threads} thread(s)"), &time);
                }
            }
        }
    }
}

/// What a million timers cost, beside a hundred.
fn growth(measured: &Measured, counts: &Counts) {
    for op in Op::ALL {
        for mix in Mix::ALL {
            let time = |id, pending| {
                let what = What {
                    op,
                    mix,
                    pending,
                    threads: 1,
                };
                median(measured, id, what)
            };
            let ratio = |id| Some(time(id, 1_000_000)? / time(id, 100)?);
            let Some(ours) = ratio("large") else { continue };
            let floor = ratio("floor").map_or(String::new(), |floor| {
                format!("; lock + one write to the timer alone: {floor:.2} x")
            });
            println!(
                "  {} {}, {}: the time at 1,000,000 pending at most 2 x that at 100? {ours:.2} x{floor}",
                if ours <= 2.0 { "PASS" } else { "FAIL" },
                op.name(),
                mix.name()
            );
            let count = |pending| counts.get("large", op, mix, pending);
            if let (Some(many), Some(few)) = (count(1_000_000), count(100)) {
                println!(
                    "  {} {}, {}: the instructions, likewise? {:.2} x",
                    if many / few <= 2.0 { "PASS" } else { "FAIL" },
                    op.name(),
                    mix.name(),
                    many / few
                );
            }
        }
    }
}

fn verdict(candidates: &[Candidate], what: &str, figure: &Figure<'_>) {
    let Some(ours) = figure("large") else { return };
    let mut ahead = Vec::new();
    let mut nearest: Option<(&Candidate, f64)> = None;
    for candidate in candidates
        .iter()
        .filter(|c| !c.ours && !c.base && !c.structure)
    {
        let Some(theirs) = figure(candidate.id) else {
            continue;
        };
        if theirs < ours {
            ahead.push(format!(
                "{} takes {:.2} of ours",
                candidate.name,
                theirs / ours
            ));
        }
        if nearest.is_none_or(|(_, nearest)| theirs < nearest) {
            nearest = Some((candidate, theirs));
        }
    }
    let Some((nearest, theirs)) = nearest else {
        return;
    };
    let said = if ahead.is_empty() {
        format!(
            "the nearest, {}, takes {:.2} x",
            nearest.name,
            theirs / ours
        )
    } else {
        ahead.join("; ")
    };
    println!(
        "  {} {what}: ahead of every rival? {said}",
        if ahead.is_empty() { "PASS" } else { "FAIL" },
    );
}

fn structures(candidates: &[Candidate], what: &str, figure: &Figure<'_>) {
    let Some(ours) = figure("large") else { return };
    let told: Vec<String> = candidates
        .iter()
        .filter(|candidate| candidate.structure)
        .filter_map(|candidate| {
            let theirs = figure(candidate.id)?;
            Some(format!("{} {:.2} x", candidate.name, theirs / ours))
        })
        .collect();
    if !told.is_empty() {
        println!("       {what}: {}", told.join("; "));
    }
}

pub fn write(candidates: &[Candidate], measured: &Measured, counts: &Counts) -> io::Result<()> {
    let mut records = Records::default();
    for candidate in candidates {
        let bytes = measured.memory.get(candidate.id);
        let bytes = bytes.map_or(Value::Null, |&bytes| Value::Number(bytes));
        for op in Op::ALL {
            for mix in Mix::ALL {
                for pending in measured.sizes() {
                    for threads in [1, 2] {
                        let what = What {
                            op,
                            mix,
                            pending,
                            threads,
                        };
                        let Some(samples) = measured.samples(candidate.id, what) else {
                            continue;
                        };
                        let count = counts.get(candidate.id, op, mix, pending);
                        let fields = vec![
                            ("name", Value::Text(candidate.name.clone())),
                            ("id", Value::Text(candidate.id.into())),
                            ("ours", Value::Flag(candidate.ours)),
                            ("structure", Value::Flag(candidate.structure)),
                            ("operation", Value::Text(op.name().into())),
                            ("deadlines", Value::Text(mix.name().into())),
                            ("pending", Value::Number(pending as f64)),
                            ("threads", Value::Number(threads as f64)),
                            ("instructions", count.map_or(Value::Null, Value::Number)),
                            ("bytes", bytes.clone()),
                        ];
                        records.add_figure(fields, samples);
                    }
                }
            }
        }
    }
    records.write("timers")
}
