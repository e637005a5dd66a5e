//! One object, revoked while threads read it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;

use driver_scope::Revocable;
use driver_scope_benches::batch::UntilNone;
use driver_scope_benches::guarded::Object;
use driver_scope_benches::payload::{now, Payload, Stamp};
use driver_scope_benches::platform::{On, Strategy, A, B, C};
use driver_scope_benches::report::{time, Records, Table, Value};
use driver_scope_benches::rivals::{
    version, ArcSwapped, Crossbeam, Haphazard, LeftRight, ParkingLot, Sdd, Seize, StdRwLock,
};
use driver_scope_benches::rounds::interleave;
use driver_scope_benches::stats::Spread;

/// How many threads read.
const READERS: [usize; 3] = [0, 1, 2];

/// One kind of object.
struct Kind {
    name: String,
    version: &'static str,
    /// Revokes so many of them while so many threads read; nanoseconds for each.
    revoke: fn(objects: usize, readers: usize) -> Vec<f64>,
}

/// A kind, with some readers.
struct Point {
    kind: usize,
    readers: usize,
    samples: Vec<f64>,
}

/// What came of it.
pub struct Measured {
    kinds: Vec<Kind>,
    points: Vec<Point>,
}

/// Type-directed construction, so that a kind is a function without captures.
trait Make: Object {
    fn make(payload: Payload) -> Self;
}

macro_rules! make {
    ($($object:ty),* $(,)?) => {$(
        impl Make for $object {
            fn make(payload: Payload) -> Self {
                Self::new(payload)
            }
        }
    )*};
}
make!(
    StdRwLock,
    ParkingLot,
    ArcSwapped,
    Crossbeam,
    Seize,
    Haphazard<true>,
    LeftRight,
    Sdd
);

impl<S: Strategy> Make for Revocable<Payload, On<S>> {
    fn make(payload: Payload) -> Self {
        Revocable::new(On::shared(), payload)
    }
}

/// Revokes one object after the other, each while `readers` threads read it over and over.
fn revoke<O: Make>(count: usize, readers: usize) -> Vec<f64> {
    struct One<O> {
        object: O,
        stamp: Arc<Stamp>,
        begun: AtomicUsize,
    }
    let objects: Vec<One<O>> = (0..count)
        .map(|_| {
            let stamp = Arc::new(Stamp::default());
            One {
                object: O::make(Payload::stamped(Arc::clone(&stamp))),
                stamp,
                begun: AtomicUsize::new(0),
            }
        })
        .collect();
    thread::scope(|scope| {
        for _ in 0..readers {
            scope.spawn(|| {
                for one in &objects {
                    one.object.with(UntilNone { begun: &one.begun });
                }
            });
        }
        let times = objects.iter().map(|one| {
            while one.begun.load(Ordering::Acquire) < readers {
                thread::yield_now();
            }
            assert!(one.stamp.dropped_at().is_none(), "dropped too early");
            let begin = now();
            one.object.revoke(&|| one.stamp.dropped_at().is_some());
            let dropped_at = one.stamp.dropped_at().expect("revoked, so dropped");
            (dropped_at - begin) as f64
        });
        times.collect()
    })
}

fn kinds() -> Vec<Kind> {
    fn strategy<S: Strategy>() -> Kind {
        Kind {
            name: format!("Revocable::revoke ({})", S::LETTER),
            version: "",
            revoke: revoke::<Revocable<Payload, On<S>>>,
        }
    }
    fn rival<O: Make>(package: &str, name: &str) -> Kind {
        Kind {
            name: name.to_owned(),
            version: version(package),
            revoke: revoke::<O>,
        }
    }
    vec![
        strategy::<A>(),
        strategy::<B>(),
        strategy::<C>(),
        Kind {
            name: "std RwLock, write + take".to_owned(),
            version: "",
            revoke: revoke::<StdRwLock>,
        },
        rival::<ParkingLot>("parking_lot", "parking_lot RwLock, write + take"),
        rival::<ArcSwapped>("arc-swap", "arc-swap, until the last Arc is gone"),
        rival::<Crossbeam>("crossbeam-epoch", "crossbeam-epoch, defer + flush"),
        rival::<Seize>("seize", "seize, retire + flush"),
        rival::<Haphazard<true>>("haphazard", "haphazard, retire + reclaim"),
        rival::<LeftRight>("left-right", "left-right, drop of the writer"),
        rival::<Sdd>("sdd", "sdd, until collected"),
    ]
}

pub fn measure(quick: bool) -> Measured {
    let (rounds, objects) = if quick { (1, 3) } else { (41, 16) };
    let kinds = kinds();
    let mut points: Vec<Point> = READERS
        .into_iter()
        .flat_map(|readers| {
            (0..kinds.len()).map(move |kind| Point {
                kind,
                readers,
                samples: Vec::new(),
            })
        })
        .collect();
    interleave("revoking one by one", rounds, &mut points, |point| {
        let samples = (kinds[point.kind].revoke)(objects, point.readers);
        point.samples.extend(samples);
    });
    Measured { kinds, points }
}

pub fn report(measured: &Measured, records: &mut Records, quick: bool) {
    let mut table = Table::new(&[
        "revoke of one",
        "version",
        "0 readers",
        "quartiles",
        "x (c)",
        "1 reader",
        "quartiles",
        "x (c)",
        "2 readers",
        "quartiles",
        "x (c)",
    ]);
    let point = |kind: usize, readers: usize| {
        let mut all = measured.points.iter();
        all.find(|point| point.kind == kind && point.readers == readers)
            .expect("every point was measured")
    };
    // What the others are compared with: `Revocable` under (c).
    let ours = 2;
    for (number, kind) in measured.kinds.iter().enumerate() {
        let mut row = vec![kind.name.clone(), kind.version.to_owned()];
        for readers in READERS {
            let here = point(number, readers);
            let spread = Spread::of(&here.samples);
            let ratio = spread.median / Spread::of(&point(ours, readers).samples).median;
            row.push(time(spread.median));
            row.push(format!("{} - {}", time(spread.lower), time(spread.upper)));
            row.push(format!("{ratio:.2}"));
            let fields = vec![
                ("name", Value::Text(kind.name.clone())),
                ("version", Value::Text(kind.version.to_owned())),
                ("ours", Value::Flag(number <= ours)),
                ("readers", Value::Number(readers as f64)),
            ];
            records.add_figure(fields, &here.samples);
        }
        table.row(row);
    }
    let caption = format!(
        "REVOKE OF ONE OBJECT: from the call to the moment in which the payload's drop runs, while threads read the object over and over:\n\
         the median of {} revokes and the quartiles. With two readers there may be more threads than processors. The deferring crates\n\
         are driven: whoever revokes calls their flush, collect or reclaim until the drop has run; left to themselves they take longer. seize\n\
         reclaims in batches of as many objects as there are active threads, so small fillers are retired to drive it.",
        measured.points[0].samples.len()
    );
    if !quick {
        table.print(&caption);
    }
}
