//! What timers cost.

use super::{find, names, thousands, times, told, Part, Plot};
use crate::plot::{Axis, Curve, Lines, Names, Unit};
use crate::results::{Record, Results};
use crate::table::Table;

/// Not shown: they are for who wants to see what a queue could be, and stand in what the bench printed.
fn is_shown(record: &Record) -> bool {
    let id = record.text("id");
    !record.flag("structure")
        && !["nothing", "floor", "medium", "small", "two", "embassy"].contains(&id)
}

const PLOTS: [(&str, &str, &str); 3] = [
    (
        "start+cancel",
        "timers-start-cancel",
        "Starting a timer and cancelling it, beside those that are pending",
    ),
    ("restart", "timers-restart", "Restarting any pending timer"),
    (
        "use",
        "timers-use",
        "Ten restarts, then one expiry: time-outs that are seldom needed",
    ),
];

const COLUMNS: [&str; 5] = ["start+cancel", "restart", "fire", "use", "next-expiry"];

pub fn part(results: &Results) -> Part {
    let mut all = results.of("deadlines", "mixed");
    all.retain(|record| is_shown(record) && record.is("threads", 1));
    let sizes = {
        let mut sizes: Vec<f64> = all.iter().filter_map(|r| r.number("pending")).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        sizes
    };
    // Ten thousand, or the most that there are.
    let many = sizes
        .iter()
        .rev()
        .find(|&&size| size <= 10_000.0)
        .copied()
        .unwrap_or(1.0);

    let curves = |operation: &str| -> Vec<Curve> {
        let mut own = all.clone();
        own.retain(|record| record.is("operation", operation));
        let curve = |name: String| {
            let points = || own.iter().filter(|record| record.name() == name);
            Curve {
                ours: points().any(|record| record.flag("ours")),
                marks: true,
                points: points()
                    .filter_map(|record| Some((record.number("pending")?, record.figure()?)))
                    .collect(),
                name,
            }
        };
        names(&own).into_iter().map(curve).collect()
    };
    let plots = PLOTS
        .map(|(operation, file, title)| Plot {
            file,
            about: format!("{title}: time by the number of pending timers"),
            drawn: Lines {
                title: title.to_owned(),
                x: Axis::log("how many timers are pending", Unit::Count),
                y: Axis::log("time of one", Unit::Nanoseconds),
                curves: curves(operation),
                names: Names::AtEnds,
            }
            .draw(),
        })
        .into_iter()
        .collect();

    let mut heads = vec![format!("{} pending", thousands(many))];
    heads.extend(COLUMNS.map(str::to_owned));
    heads.extend([
        "instructions of start+cancel".to_owned(),
        "bytes a timer".to_owned(),
    ]);
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&heads);
    for name in names(&all) {
        let of = |operation: &str| {
            all.iter()
                .find(|r| r.name() == name && r.is("operation", operation) && r.is("pending", many))
        };
        let mut row = vec![name.clone()];
        row.extend(COLUMNS.map(|operation| {
            told(
                Unit::Nanoseconds,
                of(operation).and_then(|r| r.number("median")),
            )
        }));
        row.push(told(
            Unit::Count,
            of("start+cancel").and_then(|r| r.number("instructions")),
        ));
        let bytes = all
            .iter()
            .find(|r| r.name() == name)
            .and_then(|r| r.number("bytes"));
        // What was there from before tells nothing.
        row.push(told(Unit::Count, bytes.filter(|&bytes| bytes >= 1.0)));
        table.row(row);
    }

    let mut claims = Vec::new();
    let of = |operation: &'static str, id: &'static str| {
        find(&all, move |r| {
            r.is("operation", operation) && r.is("pending", many) && r.text("id") == id
        })
    };
    for (operation, what, id, theirs) in [
        (
            "start+cancel",
            "to start and cancel a timer",
            "tokio",
            "tokio's `Sleep`",
        ),
        (
            "use",
            "a step of ten restarts and an expiry",
            "delay-queue",
            "tokio-util's `DelayQueue`",
        ),
    ] {
        if let (Some(ours), Some(tree), Some(tokio)) = (
            of(operation, "large"),
            of(operation, "rbtree"),
            of(operation, id),
        ) {
            claims.push(format!(
                "with {} pending, {what} takes {}; with a red-black tree, as Linux has for its hrtimers, {} as long, with {theirs} {}.",
                thousands(many),
                Unit::Nanoseconds.tell(ours),
                times(tree, ours),
                times(tokio, ours)
            ));
        }
    }
    Part {
        claims,
        about: "The timer queue of this crate (for platforms that have only a clock and an alarm) beside the containers, wheels and runtimes of others and Linux's timerfd, with deadlines of any order of magnitude from 8 µs to 4.9 hours. All containers are behind \
            a `std::sync::Mutex`, ours with its own decision on each start whether the alarm must be set anew, which the others are spared. start+cancel is of one of 16 idle timers, beside those that are pending; restart is of any pending one, at random; fire takes out the \
            first and starts it anew; use is ten restarts, then one fire. Where a rival is ahead, it is mostly `BinaryHeap` at restarts of very many timers: it leaves the old entry where it is and appends another, while to take a timer out of a list one waits for its \
            neighbours, which are lines of the cache like itself; what is spared there is paid when timers expire (use), and starting may allocate. Near and far deadlines, two threads and heaps that the queue could have been are in what the bench printed."
            .into(),
        plots,
        tables: vec![table],
    }
}
