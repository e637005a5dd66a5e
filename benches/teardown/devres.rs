//! A driver's end with many `Devres`: one grace period for all of them, against one for each.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;

use driver_scope::{enter, Devres, Error, Plain, Revocable};
use driver_scope_benches::payload::{now, Payload, Register};
use driver_scope_benches::platform::{On, Strategy, A, B, C};
use driver_scope_benches::report::{time, Records, Table, Value};
use driver_scope_benches::rounds::interleave;
use driver_scope_benches::stats::Spread;
use driver_scope_benches::watch::{take_waits, Watched};

const OBJECTS: [usize; 3] = [1, 100, 10_000];
const READERS: [usize; 2] = [0, 1];

/// The many objects of which the teardown must not take long.
const MOST: usize = OBJECTS[OBJECTS.len() - 1];

/// How the objects end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// With the scope that they are `Devres` of.
    Teardown,
    /// So, but nobody waits. Only without readers.
    Stubbed,
    /// As `Revocable`s, each revoked.
    OneByOne,
    /// With a scope that has as many things, only one of which is a `Devres`.
    Single,
}

impl How {
    fn name(self) -> &'static str {
        match self {
            How::Teardown => "teardown",
            How::Stubbed => "teardown without its waits",
            How::OneByOne => "revoked one by one",
            How::Single => "teardown with a single one",
        }
    }
}

/// One end of all objects.
#[derive(Clone, Copy)]
struct Sample {
    /// From the last line of the scope's body to the return, in nanoseconds.
    total: u64,
    /// Grace periods.
    waits: u64,
    /// How long those took.
    waited: u64,
}

type Ends = fn(how: How, objects: usize, readers: usize) -> Sample;

struct Point {
    letter: char,
    ends: Ends,
    how: How,
    objects: usize,
    readers: usize,
    samples: Vec<Sample>,
}

impl Point {
    fn of(&self, what: impl Fn(&Sample) -> u64) -> Spread {
        let all: Vec<f64> = self.samples.iter().map(|s| what(s) as f64).collect();
        Spread::of(&all)
    }
}

/// What came of it.
pub struct Measured(Vec<Point>);

/// Runs `body` while threads read the objects one after the other, by `read`, until it has returned.
///
/// `body` gets a function that lends the objects to the readers and returns when all of these are busy.
fn beside_readers<T: Send + Sync>(
    readers: usize,
    read: impl Fn(&T) -> Option<u32> + Sync,
    body: impl FnOnce(&dyn Fn(&Arc<Vec<T>>)) -> Sample,
) -> Sample {
    let (stop, busy) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let (stop, busy, read) = (&stop, &busy, &read);
        let sample = body(&|objects| {
            for _ in 0..readers {
                let objects = Arc::clone(objects);
                scope.spawn(move || {
                    let mut objects = objects.iter().cycle();
                    black_box(objects.next().map(read));
                    busy.fetch_add(1, Ordering::Relaxed);
                    while !stop.load(Ordering::Relaxed) {
                        black_box(objects.next().map(read));
                    }
                });
            }
            while busy.load(Ordering::Relaxed) < readers {
                thread::yield_now();
            }
        });
        stop.store(true, Ordering::Relaxed);
        sample
    })
}

/// A scope with so many things, the first few of them `Devres` whose handles outlive it, is torn down.
fn tear_down<S: Strategy>(things: usize, objects: usize, readers: usize) -> Sample {
    type Handle<S> = Devres<Plain<Register>, On<S>>;
    let platform = On::<S>::shared();
    let read = |handle: &Handle<S>| handle.try_access().map(|register| register.get().read());
    beside_readers(readers, read, |lend| {
        let (handles, _beside, begin) = platform
            .may_sleep(|cx| {
                enter(platform.clone(), cx, &(), |(), scope| {
                    let handles: Result<Vec<Handle<S>>, Error> = (0..objects)
                        .map(|_| Ok(scope.devres(Register::first())?.devres()))
                        .collect();
                    // About what a `Devres` keeps outside of its scope, so that the caches are as cold.
                    let mut beside: Vec<Box<[u64; 12]>> = Vec::new();
                    for _ in objects..things {
                        beside.push(Box::new([1; 12]));
                        // With a drop, so that the scope keeps an entry of it.
                        scope.own(Payload::new())?;
                    }
                    let handles = Arc::new(handles?);
                    lend(&handles);
                    take_waits();
                    Ok::<_, Error>((handles, beside, now()))
                })
            })
            .expect("there is memory");
        let total = now() - begin;
        let (waits, waited) = take_waits();
        assert!(handles.iter().all(|handle| read(handle).is_none()));
        Sample {
            total,
            waits,
            waited,
        }
    })
}

/// So many `Revocable`s are revoked.
fn one_by_one<S: Strategy>(objects: usize, readers: usize) -> Sample {
    type Handle<S> = Revocable<Register, On<S>>;
    let platform = On::<S>::shared();
    let read = |handle: &Handle<S>| handle.try_access().map(|register| register.read());
    beside_readers(readers, read, |lend| {
        let handles: Vec<Handle<S>> = (0..objects)
            .map(|_| Revocable::new(platform.clone(), Register::first()))
            .collect();
        let handles = Arc::new(handles);
        lend(&handles);
        take_waits();
        let begin = now();
        platform.may_sleep(|cx| {
            for handle in handles.iter() {
                assert_eq!(handle.revoke(cx), Ok(true), "nobody else revokes");
            }
        });
        let total = now() - begin;
        let (waits, waited) = take_waits();
        Sample {
            total,
            waits,
            waited,
        }
    })
}

fn ends<S: Strategy>(how: How, objects: usize, readers: usize) -> Sample {
    match how {
        How::Teardown => tear_down::<Watched<S, true>>(objects, objects, readers),
        How::Stubbed => {
            // What makes it sound not to wait.
            assert_eq!(readers, 0, "somebody reads");
            tear_down::<Watched<S, false>>(objects, objects, readers)
        }
        How::OneByOne => one_by_one::<Watched<S, true>>(objects, readers),
        How::Single => tear_down::<Watched<S, true>>(objects, 1, readers),
    }
}

pub fn measure(quick: bool) -> Measured {
    let strategies: [(char, Ends); 3] = [
        (A::LETTER, ends::<A>),
        (B::LETTER, ends::<B>),
        (C::LETTER, ends::<C>),
    ];
    let mut points = Vec::new();
    for (letter, ends) in strategies {
        for readers in READERS {
            for objects in OBJECTS {
                for how in [How::Teardown, How::Stubbed, How::OneByOne, How::Single] {
                    if how == How::Stubbed && readers > 0 {
                        continue;
                    }
                    points.push(Point {
                        letter,
                        ends,
                        how,
                        objects,
                        readers,
                        samples: Vec::new(),
                    });
                }
            }
        }
    }
    let rounds = if quick { 1 } else { 41 };
    interleave("tearing down", rounds, &mut points, |point| {
        // Once without measuring: the code is in the caches, whatever came before.
        (point.ends)(point.how, 1, 0);
        let sample = (point.ends)(point.how, point.objects, point.readers);
        point.samples.push(sample);
    });
    Measured(points)
}

impl Measured {
    fn find(&self, letter: char, how: How, objects: usize, readers: usize) -> Option<&Point> {
        self.0.iter().find(|point| {
            (point.letter, point.how, point.objects, point.readers)
                == (letter, how, objects, readers)
        })
    }
}

pub fn print(measured: &Measured) {
    let mut table = Table::new(&[
        "end of",
        "readers",
        "waits",
        "in waits",
        "total",
        "quartiles",
        "the rest",
        "without waits",
        "a single one's wait",
        "one by one: waits",
        "in waits",
        "total",
    ]);
    for letter in [A::LETTER, B::LETTER, C::LETTER] {
        for objects in OBJECTS {
            for readers in READERS {
                let find = |how| measured.find(letter, how, objects, readers);
                let (Some(teardown), Some(single), Some(each)) =
                    (find(How::Teardown), find(How::Single), find(How::OneByOne))
                else {
                    continue;
                };
                let total = teardown.of(|s| s.total);
                table.row(vec![
                    format!("{objects} objects ({letter})"),
                    readers.to_string(),
                    teardown.of(|s| s.waits).median.to_string(),
                    time(teardown.of(|s| s.waited).median),
                    time(total.median),
                    format!("{} - {}", time(total.lower), time(total.upper)),
                    time(teardown.of(|s| s.total - s.waited).median),
                    find(How::Stubbed).map_or_else(
                        || "-".to_owned(),
                        |stubbed| time(stubbed.of(|s| s.total).median),
                    ),
                    time(single.of(|s| s.waited).median),
                    each.of(|s| s.waits).median.to_string(),
                    time(each.of(|s| s.waited).median),
                    time(each.of(|s| s.total).median),
                ]);
            }
        }
    }
    let caption = format!(
        "END OF MANY OBJECTS. Left: a scope of n `Devres`, from the last line of its body until `enter` has returned; the payloads' drop is\n\
         trivial, and the handles outlive the scope, as does the memory that they share. A wait is a call of `Sections::wait`: a grace period;\n\
         \"in waits\" is the time inside those, by the clock, and \"the rest\" all else: a walk over the entries in each phase, n drops, n events to\n\
         the platform with a time each, the scope's memory. \"Without waits\" is the same with a `wait` that returns at once, which only no reader\n\
         allows: a check of the split. \"A single one's wait\" is that of a scope with one `Devres` and n - 1 owned values, so that caches are about as cold.\n\
         Right: as many `Revocable`s, each revoked. A busy reader goes round all objects. Medians of {} rounds.",
        measured.0[0].samples.len()
    );
    table.print(&caption);
    bounds(measured);
}

pub fn record(measured: &Measured, records: &mut Records) {
    for point in &measured.0 {
        let samples = |what: fn(&Sample) -> u64| -> Vec<f64> {
            point.samples.iter().map(|s| what(s) as f64).collect()
        };
        let fields = vec![
            ("group", Value::Text("devres".to_owned())),
            ("name", Value::Text(point.how.name().to_owned())),
            ("ours", Value::Flag(point.how != How::OneByOne)),
            ("strategy", Value::Text(point.letter.to_string())),
            ("objects", Value::Number(point.objects as f64)),
            ("readers", Value::Number(point.readers as f64)),
            ("waits", Value::Number(point.of(|s| s.waits).median)),
            ("samples_of_waits", Value::Numbers(samples(|s| s.waits))),
            ("samples_in_waits", Value::Numbers(samples(|s| s.waited))),
        ];
        records.add_figure(fields, &samples(|s| s.total));
    }
}

/// What was promised, and whether this run bears it out.
fn bounds(measured: &Measured) {
    const UNDER: f64 = 2.0;
    let verdict = |holds| if holds { "PASS" } else { "FAIL" };
    println!("Bounds. A single grace period is the wait of a scope as large that has one `Devres`, in the same run.\n");
    for letter in [C::LETTER, B::LETTER, A::LETTER] {
        for readers in READERS {
            let find = |how| measured.find(letter, how, MOST, readers);
            let (Some(many), Some(single)) = (find(How::Teardown), find(How::Single)) else {
                continue;
            };
            let waits = many.of(|s| s.waits).upper;
            println!(
                "  {} (4) ({letter}), {readers} reader(s): a teardown of {MOST} objects waits for under {UNDER} grace periods? It waits {waits} times",
                verdict(waits < UNDER)
            );
            let (waited, one) = (many.of(|s| s.waited).median, single.of(|s| s.waited).median);
            println!(
                "  {} (4) ({letter}), {readers} reader(s): and for under {UNDER} times as long? {} against {}: {:.2} times",
                verdict(waited < UNDER * one),
                time(waited),
                time(one),
                waited / one
            );
            let total = many.of(|s| s.total).median;
            println!(
                "           all of it, {}, is {:.0} single grace periods; {:.0} of these are work for each object, {} an object",
                time(total),
                total / one,
                (total - waited) / one,
                time((total - waited) / MOST as f64)
            );
        }
    }
    println!();
}
