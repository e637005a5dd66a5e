//! The rounds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use driver_scope_benches::progress::Progress;
use driver_scope_benches::rounds::in_turns;

use super::candidates::Candidate;
use super::subject::{Mix, Op, Subject};

/// How many timers are pending.
pub const PENDING: [usize; 4] = [1, 100, 10_000, 1_000_000];
const QUICK: [usize; 2] = [1, 1000];

/// One figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct What {
    pub op: Op,
    pub mix: Mix,
    pub pending: usize,
    pub threads: usize,
}

#[derive(Default)]
pub struct Measured {
    /// Nanoseconds for an operation, one sample for each round.
    samples: BTreeMap<(&'static str, What), Vec<f64>>,
    /// The longest expiry, and the mean of all, while all are taken out.
    pub drained: BTreeMap<(&'static str, Mix, usize), (f64, f64)>,
    /// Bytes for a timer, with what it takes to have it pending.
    pub memory: BTreeMap<&'static str, f64>,
}

impl Measured {
    /// How many timers were pending, least first.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes: Vec<usize> = self.samples.keys().map(|(_, what)| what.pending).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    pub fn samples(&self, id: &'static str, what: What) -> Option<&[f64]> {
        self.samples.get(&(id, what)).map(Vec::as_slice)
    }
}

struct Point<'a> {
    id: &'static str,
    subject: &'a dyn Subject,
    what: What,
    calls: u64,
    seed: u64,
    samples: Vec<f64>,
}

impl Point<'_> {
    fn batch(&mut self, calls: u64) -> Duration {
        self.seed += 2;
        let What {
            op, mix, threads, ..
        } = self.what;
        let run = |thread| {
            let seed = self.seed + thread as u64;
            self.subject.run(op, mix, thread, threads, calls, seed);
        };
        if threads == 1 {
            let begin = Instant::now();
            run(0);
            return begin.elapsed();
        }
        let barrier = std::sync::Barrier::new(threads);
        std::thread::scope(|scope| {
            let (run, barrier) = (&run, &barrier);
            let threads: Vec<_> = (0..threads)
                .map(|thread| {
                    scope.spawn(move || {
                        barrier.wait();
                        let begin = Instant::now();
                        run(thread);
                        (begin, Instant::now())
                    })
                })
                .collect();
            let times: Vec<_> = threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .collect();
            let begin = times.iter().map(|time| time.0).min();
            let end = times.iter().map(|time| time.1).max();
            end.zip(begin)
                .map(|(end, begin)| end - begin)
                .unwrap_or_default()
        })
    }

    /// Finds the size of a batch that takes about so long.
    fn calibrate(&mut self, target: Duration) {
        let mut calls = 1;
        loop {
            let took = (0..2).map(|_| self.batch(calls)).min().unwrap_or_default();
            if took * 8 >= target {
                let scale = target.as_secs_f64() / took.as_secs_f64();
                self.calls = ((calls as f64 * scale) as u64).max(1);
                return;
            }
            calls *= 4;
        }
    }

    /// Nanoseconds from call to call of a thread.
    fn measure(&mut self) {
        let took = self.batch(self.calls);
        self.samples
            .push(took.as_nanos() as f64 / self.calls as f64);
    }
}

pub fn all(candidates: &[Candidate], quick: bool) -> Measured {
    let mut measured = Measured::default();
    let (sizes, rounds, target): (&[usize], _, _) = if quick {
        (&QUICK, 2, Duration::from_micros(20))
    } else {
        (&PENDING, 31, Duration::from_micros(400))
    };
    for &pending in sizes {
        for mix in Mix::ALL {
            let taking_part: Vec<&Candidate> = candidates
                .iter()
                .filter(|candidate| pending <= candidate.most)
                .collect();
            let what = format!("{pending} pending, {}", mix.name());
            let mut progress = Progress::new(&what, taking_part.len() + Op::ALL.len() * 2 + 1);
            let subjects: Vec<Box<dyn Subject>> = taking_part
                .iter()
                .map(|candidate| {
                    let before = allocated();
                    let subject = candidate.make(pending);
                    subject.fill(pending, mix);
                    if pending >= 1000 {
                        let bytes = (allocated() - before) / pending as f64;
                        measured.memory.insert(candidate.id, bytes);
                    }
                    progress.step();
                    subject
                })
                .collect();
            for op in Op::ALL {
                for threads in [1, 2] {
                    let mut points: Vec<Point<'_>> = taking_part
                        .iter()
                        .zip(&subjects)
                        .filter(|(candidate, _)| candidate.can_with(op, threads))
                        .map(|(candidate, subject)| Point {
                            id: candidate.id,
                            subject: &**subject,
                            what: What {
                                op,
                                mix,
                                pending,
                                threads,
                            },
                            calls: 0,
                            seed: 1,
                            samples: Vec::new(),
                        })
                        .collect();
                    progress.step();
                    // (Each thread restarts timers of its own.)
                    if points.is_empty() || (op == Op::Restart && threads > pending) {
                        continue;
                    }
                    in_turns(1, &mut points, |point| point.calibrate(target));
                    in_turns(rounds, &mut points, Point::measure);
                    for point in points {
                        measured
                            .samples
                            .insert((point.id, point.what), point.samples);
                    }
                }
            }
            drop(subjects);
            for candidate in taking_part.iter().filter(|c| c.can(Op::Fire) && !c.base) {
                // A list that is walked for each expiry would take hours.
                if candidate.id == "embassy" && pending > 10_000 {
                    continue;
                }
                let subject = candidate.make(pending);
                subject.fill(pending, mix);
                let drained = subject.drain(pending);
                measured
                    .drained
                    .insert((candidate.id, mix, pending), drained);
            }
            progress.step();
        }
    }
    measured
}

/// Bytes that the allocator has given out.
fn allocated() -> f64 {
    // SAFETY: takes nothing.
    let info = unsafe { libc::mallinfo2() };
    (info.uordblks + info.hblkhd) as f64
}
