//! How much code a driver is.

use super::{names, told, Part, Plot};
use crate::plot::{Axis, Curve, Dots, Figure, Lines, Names, Row, Unit};
use crate::results::{Record, Results};
use crate::table::Table;

/// The level whose figures are plotted.
const LEVEL: &str = "z";

fn flash(record: &Record) -> Option<f64> {
    Some(record.number("text")? + record.number("rodata")? + record.number("data")?)
}

pub fn part(results: &Results) -> Part {
    let at = |level: &'static str| {
        let mut all = results.of("level", level);
        all.retain(|record| record.text("name") != "second timer");
        all
    };
    let all = at(LEVEL);
    let curve = |name: String| {
        let own = || all.iter().filter(|record| record.name() == name);
        Curve {
            ours: own().any(|record| record.flag("ours")),
            marks: true,
            points: own()
                .filter_map(|record| {
                    Some((record.number("drivers")?, Figure::exact(flash(record)?)))
                })
                .collect(),
            name,
        }
    };
    let of = |prefix: &str, drivers: u32, key: &str| {
        let found = all
            .iter()
            .find(|r| r.name().starts_with(prefix) && r.is("drivers", drivers));
        found.and_then(|record| record.number(key))
    };
    let rows = names(&all).into_iter().map(|name| {
        let figure = |drivers, key| of(&name, drivers, key).map(Figure::exact);
        let ours = name.starts_with("driver-scope");
        Row::new(
            name.clone(),
            ours,
            vec![figure(1, "above"), figure(4, "further")],
        )
    });
    let plots = vec![
        Plot {
            file: "size",
            about: "Bytes of the first driver, and of each further one".into(),
            drawn: Dots {
                title: "What a driver adds to a program, opt-level z".into(),
                axis: Axis::linear("code and constants", Unit::Bytes),
                series: vec!["the first driver".into(), "each further driver".into()],
                rows: rows.collect(),
            }
            .draw(),
        },
        Plot {
            file: "size-growth",
            about: "Bytes of a whole program by its number of drivers".into(),
            drawn: Lines {
                title: "A program with several drivers, opt-level z".into(),
                x: Axis::linear("how many drivers", Unit::Count),
                y: Axis::linear("code, constants and initial data", Unit::Bytes),
                curves: names(&all).into_iter().map(curve).collect(),
                names: Names::AtEnds,
            }
            .draw(),
        },
    ];
    let mut table = Table::new(&[
        "program",
        "opt-level",
        "drivers",
        ".text",
        ".rodata",
        ".data",
        ".bss",
        "above the frame",
        "each further",
    ]);
    for level in ["z", "s"] {
        for record in at(level) {
            let bytes = |key: &str| told(Unit::Count, record.number(key));
            table.row(vec![
                record.name(),
                level.to_owned(),
                bytes("drivers"),
                bytes("text"),
                bytes("rodata"),
                bytes("data"),
                bytes("bss"),
                bytes("above"),
                bytes("further"),
            ]);
        }
    }
    let second = results
        .records
        .iter()
        .find(|r| r.text("name") == "second timer" && r.text("level") == LEVEL);
    let second = second.and_then(|record| record.number("above"));
    let mut claims = Vec::new();
    if let (Some(first), Some(hand), Some(further), Some(by_hand), Some(second)) = (
        of("driver-scope", 1, "above"),
        of("by hand", 1, "above"),
        of("driver-scope", 4, "further"),
        of("by hand", 4, "further"),
        second,
    ) {
        claims.push(format!(
            "the first driver brings {first:.0} bytes (by hand, which is without all that holds when something goes wrong, {hand:.0}), each further driver {further:.0} ({by_hand:.0}), a second timer in a driver {second:.0}."
        ));
    }
    Part {
        claims,
        about: "Freestanding x86-64 programs (`no_std`, no allocator, fat LTO, `panic = \"abort\"`) whose drivers count milliseconds in a register of their device until they are removed; each program is run, and says whether they did. With a scope; by hand on the same platform, its timers and its bus; \
            and as tasks of embassy, which nothing removes: they look whether they should end. The frame is the program without a driver: the platform with its timer queue, or the executor. Each driver is another type, so that the compiler makes its code anew. Sections for unwinding do not count."
            .into(),
        plots,
        tables: vec![table],
    }
}
