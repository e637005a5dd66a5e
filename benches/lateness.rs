//! How late timers fire: those of `Host` beside runtimes, threads that sleep, and a bare loop around Linux's own. `cargo xtask bench lateness`

mod lateness {
    pub mod contestants;
    pub mod futures;
}

use std::process::ExitCode;
use std::time::Duration;

use driver_scope_benches::machine;
use driver_scope_benches::report::{time, Records, Table, Value};
use driver_scope_benches::rounds::interleave;
use driver_scope_benches::stats::quantile;

use lateness::contestants::{self, Contestant, Load};

/// One timer on an idle machine, and many at once.
const LOADS: [Load; 3] = [
    Load::new(1, [1_000, 1_000]),
    Load::new(100, [1_000, 10_000]),
    Load::new(1000, [10_000, 100_000]),
];

/// What is kept of each distribution: a curve, and its far end.
fn parts() -> impl Iterator<Item = f64> {
    (1..=99)
        .map(|hundredth| f64::from(hundredth) / 100.0)
        .chain([0.995, 0.999, 0.9995, 0.9999, 1.0])
}

/// One contestant under one load.
struct Point<'a> {
    contestant: &'a Contestant,
    load: Load,
    late: Vec<f64>,
}

fn main() -> ExitCode {
    let quick = std::env::args().any(|arg| arg == "--quick");
    machine::print();
    // SAFETY: takes no pointer. The slack is inherited by the threads that are made from here on: those of all contestants.
    let precise = unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_u64) } == 0;
    let (rounds, each) = if quick {
        (1, Duration::from_millis(150))
    } else {
        (5, Duration::from_secs(1))
    };
    let all = contestants::all();
    let mut points: Vec<Point<'_>> = LOADS
        .into_iter()
        .flat_map(|load| all.iter().map(move |contestant| (contestant, load)))
        .map(|(contestant, load)| Point {
            contestant,
            load,
            late: Vec::new(),
        })
        .collect();
    interleave("lateness", rounds, &mut points, |point| {
        // A machine that others keep busy may need longer for each timer to have fired; one that never does is broken.
        let lengths = (0..7).map(|doubled| each * (1 << doubled));
        let all = point.load.timers as usize;
        let mut runs = lengths.map(|length| (point.contestant.run)(point.load, length));
        let found = runs.find(|found| found.len() >= all);
        let Some(found) = found else {
            panic!("{} does not fire", point.contestant.name);
        };
        assert!(
            found.iter().all(|&by| by >= 0.0),
            "{} fired too early",
            point.contestant.name
        );
        point.late.extend(found);
    });
    println!(
        "each contestant fired every timer, and none early; timer slack {}\n",
        if precise { "1 ns for all" } else { "as it was" }
    );
    if quick {
        println!("quick: everything ran; no figures are claimed");
    }
    let mut records = Records::default();
    for point in &mut points {
        point.late.sort_by(f64::total_cmp);
        records.add(vec![
            ("name", Value::Text(point.contestant.name.into())),
            ("version", Value::Text(point.contestant.version.into())),
            ("ours", Value::Flag(point.contestant.ours)),
            ("timers", Value::Number(point.load.timers as f64)),
            ("expiries", Value::Number(point.late.len() as f64)),
            (
                "parts",
                Value::Numbers(parts().map(|part| part * 100.0).collect()),
            ),
            (
                "late_ns",
                Value::Numbers(parts().map(|part| quantile(&point.late, part)).collect()),
            ),
        ]);
    }
    if !quick {
        for load in LOADS {
            table(&points, load, rounds, each);
        }
        bounds(&points);
    }
    match records.write("lateness") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lateness: writing the figures: {error}");
            ExitCode::FAILURE
        }
    }
}

fn table(points: &[Point<'_>], load: Load, rounds: usize, each: Duration) {
    let mut table = Table::new(&[
        "lateness", "version", "expiries", "p10", "p50", "p90", "p99", "p99.9", "max",
    ]);
    for point in points.iter().filter(|point| point.load == load) {
        let mut row = vec![
            point.contestant.name.to_owned(),
            point.contestant.version.to_owned(),
            point.late.len().to_string(),
        ];
        row.extend([0.1, 0.5, 0.9, 0.99, 0.999, 1.0].map(|part| time(quantile(&point.late, part))));
        table.row(row);
    }
    table.print(&format!(
        "{} PERIODIC TIMERS of {}, {rounds} rounds of {each:?} in turns",
        load.timers,
        load.told()
    ));
}

/// What was promised.
fn bounds(points: &[Point<'_>]) {
    for load in LOADS {
        let median = |id| {
            let mut all = points.iter();
            let point = all.find(|p| p.contestant.id == id && p.load == load);
            quantile(&point.expect("it took part").late, 0.5)
        };
        let ratio = median("host") / median("timerfd");
        println!(
            "  {} {} timers: the median of Host at most 1.1 x that of the bare timerfd loop? {ratio:.2} x",
            if ratio <= 1.1 { "PASS" } else { "FAIL" },
            load.timers
        );
    }
    println!();
}
