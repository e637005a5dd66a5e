//! How long it takes to compile.

use super::{find, times, told, Part, Plot};
use crate::plot::{Axis, Dots, Row, Unit};
use crate::results::{Record, Results};
use crate::table::Table;

pub fn part(results: &Results) -> Part {
    let (user, wall) = (results.of("what", "user"), results.of("what", "wall"));
    let mut table = Table::new(&["compiled from nothing", "crates", "user CPU", "wall"]);
    let mut rows = Vec::new();
    for (user, wall) in user.iter().zip(&wall) {
        table.row(vec![
            user.name(),
            told(Unit::Count, user.number("crates")),
            told(Unit::Seconds, user.number("median")),
            told(Unit::Seconds, wall.number("median")),
        ]);
        rows.push(Row::new(
            user.name(),
            user.flag("ours"),
            vec![user.figure(), wall.figure()],
        ));
    }
    let drawn = Dots {
        title: "cargo build, from nothing".into(),
        axis: Axis::linear("time", Unit::Seconds),
        series: vec!["user CPU, all processors".into(), "wall clock".into()],
        rows,
    }
    .draw();
    let mut claims = Vec::new();
    let of =
        |prefix: &'static str| find(&user, move |r: &Record| r.text("name").starts_with(prefix));
    if let (Some(ours), Some(tokio)) = (of("driver-scope, no"), of("tokio")) {
        claims.push(format!(
            "the crate compiles in {} of a processor's time, without any dependency; tokio with its timers takes {} as long.",
            Unit::Seconds.tell(ours),
            times(tokio, ours)
        ));
    }
    Part {
        claims,
        about: "`cargo build` of an empty package that depends on this alone: unoptimised, `CARGO_INCREMENTAL=0`, from an empty target folder, all sources there already.".into(),
        plots: vec![Plot {
            file: "compile",
            about: "Seconds to compile each crate with what it depends on".into(),
            drawn,
        }],
        tables: vec![table],
    }
}
