//! How late timers fire.

use super::{times, Part, Plot};
use crate::plot::{Axis, Curve, Figure, Lines, Names, Unit};
use crate::results::{Record, Results};
use crate::table::Table;

/// The loads, with the plot of each.
const LOADS: [(u32, &str, &str); 3] = [
    (1, "lateness-1", "One periodic timer of 1 ms"),
    (100, "lateness-100", "100 periodic timers of 1 to 10 ms"),
    (
        1000,
        "lateness-1000",
        "1000 periodic timers of 10 to 100 ms",
    ),
];

/// How late this part of the expiries was at most.
fn late(record: &Record, part: f64) -> Option<f64> {
    let parts = record.numbers("parts");
    let place = parts.iter().position(|&at| (at - part).abs() < 1e-6)?;
    record.numbers("late_ns").get(place).copied()
}

pub fn part(results: &Results) -> Part {
    let mut plots = Vec::new();
    let mut table = Table::new(&["how late", "timers", "p50", "p90", "p99", "p99.9", "latest"]);
    for (timers, file, title) in LOADS {
        let records = results.of("timers", timers);
        let curves = records.iter().map(|record| Curve {
            name: record.name(),
            ours: record.flag("ours"),
            marks: false,
            points: (record.numbers("late_ns").into_iter())
                // Less than that nobody can tell from nothing.
                .map(|late| late.max(100.0))
                .zip(record.numbers("parts").into_iter().map(Figure::exact))
                .collect(),
        });
        plots.push(Plot {
            file,
            about: format!("{title}: the part of the expiries that were no later than so much"),
            drawn: Lines {
                title: title.to_owned(),
                x: Axis::log("how late at most", Unit::Nanoseconds),
                y: Axis::linear("part of the expiries", Unit::Percent),
                curves: curves.collect(),
                names: Names::Listed,
            }
            .draw(),
        });
        for record in &records {
            let mut row = vec![record.name(), timers.to_string()];
            row.extend(
                [50.0, 90.0, 99.0, 99.9, 100.0]
                    .map(|part| super::told(Unit::Nanoseconds, late(record, part))),
            );
            table.row(row);
        }
    }
    let records = results.of("timers", 100);
    let median = |prefix: &str| {
        let found = records.iter().find(|r| r.name().starts_with(prefix))?;
        late(found, 50.0)
    };
    let mut claims = Vec::new();
    if let (Some(ours), Some(bare), Some(tokio)) =
        (median("driver-scope"), median("bare"), median("tokio"))
    {
        claims.push(format!(
            "half of 100 periodic timers on `Host` are late by less than {}, {} what a bare loop around timerfd has; tokio, which counts in milliseconds, is late by {}.",
            Unit::Nanoseconds.tell(ours),
            times(ours, bare),
            Unit::Nanoseconds.tell(tokio)
        ));
    }
    Part {
        claims,
        about: "From the instant that a timer was set for until what it calls has read the clock, in user space: `Host` (a thread that waits for the first of its queue), a bare loop around Linux's timerfd and epoll, a thread for each timer that \
            sleeps, and the timers of runtimes. All with a timer slack of 1 ns. A curve further to the left is better; where it becomes flat, it has a tail."
            .into(),
        plots,
        tables: vec![table],
    }
}
