//! What it costs to take one thing away.

use super::{find, median, times, Part, Plot};
use crate::plot::{Axis, Dots, Row, Unit};
use crate::results::{Record, Results};
use crate::table::Table;

const READERS: [u32; 3] = [0, 1, 2];

pub fn part(results: &Results) -> Part {
    let [none, one, two] = READERS.map(|readers| results.of("readers", readers));
    let mut table = Table::new(&["revoke of one", "0 readers", "1 reader", "2 readers"]);
    let mut rows = Vec::new();
    for ((none, one), two) in none.iter().zip(&one).zip(&two) {
        let figures = [none, one, two].map(|record| record.figure());
        let mut row = vec![none.name()];
        row.extend(figures.map(|figure| median(Unit::Nanoseconds, figure)));
        table.row(row);
        rows.push(Row::new(none.name(), none.flag("ours"), figures.to_vec()));
    }
    let drawn = Dots {
        title: "From the call of revoke to the drop of what is revoked".into(),
        axis: Axis::log("time of one revoke", Unit::Nanoseconds),
        series: ["no reader", "1 reader", "2 readers"]
            .map(str::to_owned)
            .to_vec(),
        rows,
    }
    .draw();

    let ours = |record: &Record| record.text("name").ends_with("(c)");
    let seize = |record: &Record| record.text("name").starts_with("seize");
    let mut claims = Vec::new();
    if let (Some(alone), Some(read), Some(theirs)) =
        (find(&none, ours), find(&one, ours), find(&one, seize))
    {
        claims.push(format!(
            "who revokes pays for the cheap readers: {} with none and {} with one that reads over and over, where seize, which lets its readers go as cheaply, takes {} as long; a lock that each reader pays for is quicker to revoke.",
            Unit::Nanoseconds.tell(alone),
            Unit::Nanoseconds.tell(read),
            times(theirs, read)
        ));
    }
    Part {
        claims,
        about: "From the call that takes something away from its readers until its destructor has begun, while threads read it over and over. On a machine with two processors and two readers somebody waits for a \
            processor, which takes milliseconds. The crates that defer are driven: whoever revokes calls their flush, collect or reclaim until the destructor has run; left to themselves they take longer."
            .into(),
        plots: vec![Plot {
            file: "revoke",
            about: "Time of a revoke by each way, with no reader, one and two".into(),
            drawn,
        }],
        tables: vec![table],
    }
}
