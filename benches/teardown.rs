//! What a driver's end costs, by what it has: the scope's teardown beside the same by hand, and by other crates. `cargo xtask bench teardown`

mod teardown {
    pub mod by_hand;
    pub mod devres;
    pub mod kinds;
    pub mod scoped;
    pub mod tasks;
}

use std::process::ExitCode;

use driver_scope_benches::report::{time, Records, Table, Value};
use driver_scope_benches::rounds::interleave;
use driver_scope_benches::stats::{ratio, Spread};
use driver_scope_benches::{machine, platform};

use teardown::devres;
use teardown::kinds::{self, Group, Kind};

/// How many there are of what ends.
const OBJECTS: [usize; 4] = [1, 10, 100, 1000];

/// One kind, with so many.
struct Point<'a> {
    kind: &'a Kind,
    objects: usize,
    samples: Vec<f64>,
}

fn main() -> ExitCode {
    let quick = std::env::args().any(|arg| arg == "--quick");
    if !platform::membarrier_works() {
        eprintln!("teardown: membarrier(2) does not work here, so strategy (c) would be measured as what it is not");
        return ExitCode::FAILURE;
    }
    machine::print();
    // SAFETY: sets a number in the allocator. Whoever happens to free what lies at the end of its memory would pay for giving that back to the system.
    unsafe { libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX) };
    let kinds = kinds::all();
    let mut points: Vec<Point<'_>> = kinds
        .iter()
        .flat_map(|kind| OBJECTS.map(|objects| (kind, objects)))
        .map(|(kind, objects)| Point {
            kind,
            objects,
            samples: Vec::new(),
        })
        .collect();
    let rounds = if quick { 2 } else { 101 };
    interleave("ending", rounds, &mut points, |point| {
        // Once without measuring: the code is in the caches, whatever came before.
        (point.kind.end)(1);
        // Each looks whether all that it made was there before, and is gone afterwards.
        let took = (point.kind.end)(point.objects);
        point.samples.push(took as f64);
    });
    println!(
        "{} kinds: all that each registered was there before its end, and gone after it\n",
        kinds.len()
    );
    let many = devres::measure(quick);
    let mut records = Records::default();
    if quick {
        println!("quick: everything ended; no figures are claimed");
    }
    for group in Group::ALL.into_iter().filter(|_| !quick) {
        table(&points, group);
    }
    for point in &points {
        let fields = vec![
            ("group", Value::Text(point.kind.group.name().into())),
            ("name", Value::Text(point.kind.name.into())),
            ("version", Value::Text(point.kind.version.into())),
            ("ours", Value::Flag(point.kind.ours)),
            ("objects", Value::Number(point.objects as f64)),
        ];
        records.add_figure(fields, &point.samples);
    }
    if !quick {
        devres::print(&many);
    }
    devres::record(&many, &mut records);
    match records.write("teardown") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("teardown: writing the figures: {error}");
            ExitCode::FAILURE
        }
    }
}

fn table(points: &[Point<'_>], group: Group) {
    let mut heads = vec!["the end of:".to_owned(), "version".to_owned()];
    for objects in OBJECTS {
        heads.extend([
            objects.to_string(),
            "quartiles".to_owned(),
            "x the first".to_owned(),
        ]);
    }
    heads.push("each of the last".to_owned());
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&heads);
    let of = |kind: &Kind, objects| {
        let mut all = points.iter();
        let found = all.find(|p| {
            p.kind.name == kind.name && p.kind.group == kind.group && p.objects == objects
        });
        &found.expect("every point was measured").samples
    };
    let in_group: Vec<&Kind> = points
        .iter()
        .filter(|point| point.kind.group == group && point.objects == OBJECTS[0])
        .map(|point| point.kind)
        .collect();
    for kind in &in_group {
        let mut row = vec![kind.name.to_owned(), kind.version.to_owned()];
        for objects in OBJECTS {
            let samples = of(kind, objects);
            let spread = Spread::of(samples);
            row.push(time(spread.median));
            row.push(format!("{} - {}", time(spread.lower), time(spread.upper)));
            row.push(format!("{:.2}", ratio(samples, of(in_group[0], objects))));
        }
        let most = OBJECTS[OBJECTS.len() - 1];
        row.push(time(Spread::of(of(kind, most)).median / most as f64));
        table.row(row);
    }
    let rounds = points[0].samples.len();
    table.print(&format!(
        "{}: the time of their end, when there are so many; medians of {rounds} rounds",
        group.name().to_uppercase()
    ));
}
