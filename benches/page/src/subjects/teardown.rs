//! What a driver's end costs.

use super::{find, names, times, told, Part, Plot};
use crate::plot::{Axis, Curve, Lines, Names, Unit};
use crate::results::{Record, Results};
use crate::table::Table;

/// Each group with its plot.
const GROUPS: [(&str, &str); 4] = [
    ("armed timers", "teardown-armed"),
    ("idle timers", "teardown-idle"),
    ("owned values", "teardown-values"),
    ("actions at remove", "teardown-actions"),
];

/// The names of the records of many `Devres`, as the page calls them.
const DEVRES: [(&str, &str); 2] = [
    ("teardown", "driver-scope, one grace period for all"),
    ("revoked one by one", "Revocable, revoked one by one"),
];

const MOST: u32 = 1000;

fn curves(records: &[&Record]) -> Vec<Curve> {
    let of = |name: String| {
        let own = || records.iter().filter(|record| record.name() == name);
        Curve {
            ours: own().any(|record| record.flag("ours")),
            marks: true,
            points: own()
                .filter_map(|record| Some((record.number("objects")?, record.figure()?)))
                .collect(),
            name,
        }
    };
    names(records).into_iter().map(of).collect()
}

fn plot(file: &'static str, title: String, curves: Vec<Curve>) -> Plot {
    Plot {
        about: format!("{title}, by their number"),
        drawn: Lines {
            title,
            x: Axis::log("how many objects there are", Unit::Count),
            y: Axis::log("time of the whole end", Unit::Nanoseconds),
            curves,
            names: Names::AtEnds,
        }
        .draw(),
        file,
    }
}

pub fn part(results: &Results) -> Part {
    let mut plots = Vec::new();
    let mut claims = Vec::new();
    let mut table = Table::new(&["the end of", "by", "1", "10", "100", "1000", "each of 1000"]);
    for (group, file) in GROUPS {
        let records = results.of("group", group);
        // Idle timers differ from armed ones by little: they are in the table.
        if group != "idle timers" {
            plots.push(plot(
                file,
                format!("The end of a driver with {group}"),
                curves(&records),
            ));
        }
        for name in names(&records) {
            let of =
                |objects: u32| find(&records, |r| r.name() == name && r.is("objects", objects));
            let mut row = vec![group.to_owned(), name.clone()];
            row.extend([1, 10, 100, MOST].map(|objects| told(Unit::Nanoseconds, of(objects))));
            row.push(told(
                Unit::Nanoseconds,
                of(MOST).map(|all| all / f64::from(MOST)),
            ));
            table.row(row);
        }
        if group == "armed timers" {
            let of = |prefix: &str| {
                find(&records, |r| {
                    r.name().starts_with(prefix) && r.is("objects", MOST)
                })
            };
            if let (Some(ours), Some(hand), Some(tokio)) =
                (of("driver-scope"), of("by hand"), of("tokio "))
            {
                claims.push(format!(
                    "a driver with {MOST} armed timers is removed in {}, {} what shutting each by hand takes; tokio's `JoinSet` takes {} as long as the scope.",
                    Unit::Nanoseconds.tell(ours),
                    times(ours, hand),
                    times(tokio, ours)
                ));
            }
        }
    }
    let devres = results.of("group", "devres");
    let of = |name: &str, objects: u32| {
        find(&devres, |r| {
            r.text("name") == name
                && r.is("strategy", "c")
                && r.is("readers", 1)
                && r.is("objects", objects)
        })
    };
    let many = DEVRES.map(|(name, shown)| Curve {
        name: shown.to_owned(),
        ours: name == "teardown",
        marks: true,
        points: devres
            .iter()
            .filter(|r| r.text("name") == name && r.is("strategy", "c") && r.is("readers", 1))
            .filter_map(|r| Some((r.number("objects")?, r.figure()?)))
            .collect(),
    });
    plots.push(plot(
        "teardown-devres",
        "The end of a driver with many Devres, while a thread reads them, (c)".into(),
        many.to_vec(),
    ));
    let mut waits = Table::new(&["the end of Devres, (c), one reader", "1", "100", "10000"]);
    for (name, shown) in DEVRES {
        let mut row = vec![shown.to_owned()];
        row.extend([1, 100, 10_000].map(|objects| told(Unit::Nanoseconds, of(name, objects))));
        waits.row(row);
    }
    if let (Some(all), Some(each)) = (of(DEVRES[0].0, 10_000), of(DEVRES[1].0, 10_000)) {
        claims.push(format!(
            "a driver's end waits once for all readers of all its `Devres`: of 10,000 it is rid in {}; revoked one by one they take {} as long.",
            Unit::Nanoseconds.tell(all),
            times(each, all)
        ));
    }
    Part {
        claims,
        about: "From the call of `unbind` until it has returned, for a driver that has so many timers an hour ahead, timers that are idle, owned values with a destructor, actions at remove, or `Devres`. \
            By hand: the same timers of the same platform, each shut and waited for, newest first, then dropped; values and closures in a `Vec` of boxes. What a scope does besides: it looks that nothing is registered or armed meanwhile, keeps to the \
            phases across all kinds, tells the platform of each end, with its time, and goes on after a panic. tokio's are tasks that sleep, aborted (`JoinSet::shutdown`) or told to end (`CancellationToken`, `TaskTracker`); async-io's are timers that call nobody."
            .into(),
        plots,
        tables: vec![table, waits],
    }
}
