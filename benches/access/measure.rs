//! The rounds.

use std::time::Duration;

use driver_scope_benches::batch::{timed, Batch, Form};
use driver_scope_benches::rounds::interleave;

use super::candidates::{Candidate, Subject};

/// One candidate in one form, read by some threads at once.
pub struct Point<'a> {
    candidate: &'a Candidate,
    subject: &'a dyn Subject,
    pub form: Form,
    pub threads: usize,
    /// Calls in a batch.
    calls: u64,
    /// Nanoseconds for a call, one sample for each round.
    pub samples: Vec<f64>,
}

impl Point<'_> {
    /// Runs a batch in each thread; how long it took.
    fn batch(&self, calls: u64) -> Duration {
        timed(self.threads, &|| {
            let tally = self.subject.batch(Batch(self.form, calls));
            assert_eq!(tally.none, 0, "{}: refused", self.candidate.id);
            assert_eq!(
                tally.sum,
                self.candidate.expected(calls),
                "{}",
                self.candidate.id
            );
        })
    }

    /// Finds the size of a batch that takes about so long.
    fn calibrate(&mut self, target: Duration) {
        let mut calls = 16;
        loop {
            // The shortest of three: one may have been interrupted.
            let took = (0..3).map(|_| self.batch(calls)).min().unwrap_or_default();
            if took * 8 >= target {
                let scale = target.as_secs_f64() / took.as_secs_f64();
                self.calls = ((calls as f64 * scale) as u64).max(16);
                return;
            }
            calls *= 4;
        }
    }

    fn measure(&mut self) {
        let took = self.batch(self.calls);
        self.samples
            .push(took.as_nanos() as f64 / self.calls as f64);
    }
}

/// The samples of all points.
pub struct Measured(Vec<(String, Form, usize, Vec<f64>)>);

impl Measured {
    /// The samples of a candidate in one form and with so many threads.
    pub fn samples(&self, id: &str, form: Form, threads: usize) -> &[f64] {
        self.0
            .iter()
            .find(|point| point.0 == id && point.1 == form && point.2 == threads)
            .map(|point| point.3.as_slice())
            .expect("every point was measured")
    }
}

/// How many threads read at once.
pub const THREADS: [usize; 2] = [1, 2];

pub fn all(candidates: &[Candidate], quick: bool) -> Measured {
    let (rounds, target) = if quick {
        (2, Duration::from_micros(20))
    } else {
        (151, Duration::from_micros(400))
    };
    let subjects: Vec<Box<dyn Subject>> = candidates.iter().map(Candidate::make).collect();
    let mut points = Vec::new();
    for form in Form::ALL {
        for threads in THREADS {
            for (candidate, subject) in candidates.iter().zip(&subjects) {
                points.push(Point {
                    candidate,
                    subject: &**subject,
                    form,
                    threads,
                    calls: 0,
                    samples: Vec::new(),
                });
            }
        }
    }
    interleave("calibrating", 1, &mut points, |point| {
        point.calibrate(target);
    });
    interleave("measuring", rounds, &mut points, Point::measure);
    let taken = |p: Point<'_>| (p.candidate.id.clone(), p.form, p.threads, p.samples);
    Measured(points.into_iter().map(taken).collect())
}
