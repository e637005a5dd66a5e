//! What one read costs.

use super::{find, median, told, Part, Plot};
use crate::plot::{Axis, Dots, Row, Unit};
use crate::results::{Record, Results};
use crate::subjects::times;
use crate::table::Table;

const OURS: [&str; 5] = ["mmio", "bound", "revocable", "devres", "port"];

fn is_ours(record: &Record) -> bool {
    let id = record.text("candidate");
    OURS.iter().any(|ours| id.starts_with(ours))
}

pub fn part(results: &Results) -> Part {
    let all = results.of("reads", 1);
    let of = |form: &str, threads: u32| -> Vec<&Record> {
        let mut some = all.clone();
        some.retain(|record| record.is("form", form) && record.is("threads", threads));
        some
    };
    let (called, two) = (of("called", 1), of("called", 2));
    let inlined = of("inlined", 1);
    let id = |id: &'static str| move |record: &Record| record.text("candidate") == id;

    let dots = |title: &str, forms: [&str; 2], threads: [u32; 2], series: [&str; 2]| {
        let [one, other] = [of(forms[0], threads[0]), of(forms[1], threads[1])];
        let rows = one.iter().zip(other);
        Dots {
            title: title.to_owned(),
            axis: Axis::log("time of one read", Unit::Nanoseconds),
            series: series.map(str::to_owned).to_vec(),
            rows: rows
                .map(|(one, other)| {
                    Row::new(one.name(), is_ours(one), vec![one.figure(), other.figure()])
                })
                .collect(),
        }
        .draw()
    };
    let plots = vec![
        Plot {
            file: "access",
            about: "Time of one register read by each way, in a function of its own, on one thread and on two".into(),
            drawn: dots(
                "One read in a function of its own",
                ["called"; 2],
                [1, 2],
                ["1 thread", "2 threads at once"],
            ),
        },
        Plot {
            file: "access-inlined",
            about: "The same, inlined in a loop".into(),
            drawn: dots(
                "One read, inlined in a loop",
                ["inlined"; 2],
                [1, 2],
                ["1 thread", "2 threads at once"],
            ),
        },
    ];

    let mut table = Table::new(&[
        "one read",
        "protected",
        "instructions",
        "called",
        "2 threads",
        "inlined",
    ]);
    for (number, record) in called.iter().enumerate() {
        table.row(vec![
            record.name(),
            record.text("protected").to_owned(),
            told(Unit::Count, record.number("instructions")),
            median(Unit::Nanoseconds, record.figure()),
            median(Unit::Nanoseconds, two.get(number).and_then(|r| r.figure())),
            median(
                Unit::Nanoseconds,
                inlined.get(number).and_then(|r| r.figure()),
            ),
        ]);
    }

    let mut claims = Vec::new();
    if let (Some(raw), Some(mmio)) = (find(&inlined, id("raw")), find(&inlined, id("mmio"))) {
        claims.push(format!(
            "inside the driver, a register read by an `Mmio` takes {} as long as one by a raw pointer: there is no check.",
            times(mmio, raw)
        ));
    }
    if let (Some(flag), Some(devres)) = (find(&called, id("flag")), find(&called, id("devres-c"))) {
        let rivals = called
            .iter()
            .filter(|record| record.is("protected", "yes") && !is_ours(record));
        let nearest = rivals
            .filter_map(|record| Some((record.number("median")?, record.name())))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((theirs, name)) = nearest {
            claims.push(format!(
                "from outside, where the device may vanish, a read by a `Devres` takes {} as long as a look at a flag, which protects nothing; the nearest rival, {name}, takes {} as long as the `Devres`.",
                times(devres, flag),
                times(theirs, devres)
            ));
        }
    }
    Part {
        claims,
        about: "One read of a 32-bit register in memory: by an address; by the handles that the compiler checks (`Mmio`, `Bound`); by those that are checked at run time, whose readers the platform \
            remembers in one of three ways, (a) `Counted`, (b) `Slots` with fences, (c) `Slots` with membarrier(2), which `Host` has on Linux (see [design.md](design.md)); and by other crates' ways to protect what may be taken away."
            .into(),
        plots,
        tables: vec![table],
    }
}
