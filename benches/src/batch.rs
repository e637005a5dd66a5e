//! Many reads in a row, the same for everybody.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Where the compiler may put the read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In a function of its own, `fn(&object) -> Option<u32>`, as in a driver.
    Called,
    /// In the loop.
    Inlined,
}

impl Form {
    /// Both.
    pub const ALL: [Form; 2] = [Form::Called, Form::Inlined];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Form::Called => "called",
            Form::Inlined => "inlined",
        }
    }
}

/// What came of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The sum of what was read.
    pub sum: u64,
    /// How often there was nothing to read.
    pub none: u64,
}

impl Tally {
    #[inline(always)]
    fn add(&mut self, read: Option<u32>) {
        match read {
            Some(value) => self.sum = self.sum.wrapping_add(u64::from(value)),
            None => self.none += 1,
        }
    }
}

/// Something that is done with a way to read: `read(local)`.
pub trait Run {
    /// What comes of it.
    type Out;
    /// Does it. `local` is what a thread has in its hands; `read` may carry what else it needs, as further arguments. It is
    /// `#[inline(always)]`, so that it is called once and no further, whoever's it is.
    fn run<L: ?Sized, F: Copy + Fn(&L) -> Option<u32>>(self, local: &L, read: F) -> Self::Out;
}

/// Reads `n` times.
#[derive(Clone, Copy, Debug)]
pub struct Batch(pub Form, pub u64);

impl Run for Batch {
    type Out = Tally;
    fn run<L: ?Sized, F: Copy + Fn(&L) -> Option<u32>>(self, local: &L, read: F) -> Tally {
        match self.0 {
            Form::Called => calls(self.1, local, read),
            Form::Inlined => inlined(self.1, local, read),
        }
    }
}

/// The driver's function.
#[inline(never)]
fn called<L: ?Sized, F: Copy + Fn(&L) -> Option<u32>>(local: &L, read: F) -> Option<u32> {
    read(local)
}

#[inline(never)]
fn calls<L: ?Sized, F: Copy + Fn(&L) -> Option<u32>>(n: u64, local: &L, read: F) -> Tally {
    // By a pointer that the compiler knows nothing of, or it would look into the function to see what its callers need not do.
    let function: fn(&L, F) -> Option<u32> = black_box(called::<L, F>);
    let local = black_box(local);
    let mut tally = Tally::default();
    for _ in 0..n {
        tally.add(function(local, read));
    }
    tally
}

#[inline(never)]
fn inlined<L: ?Sized, F: Copy + Fn(&L) -> Option<u32>>(n: u64, local: &L, read: F) -> Tally {
    let local = black_box(local);
    let mut tally = Tally::default();
    for _ in 0..n {
        tally.add(read(local));
    }
    tally
}

/// Reads until there is nothing any more; says when it has begun.
#[derive(Debug)]
pub struct UntilNone<'a> {
    /// Counted up at the first read.
    pub begun: &'a AtomicUsize,
}

impl Run for UntilNone<'_> {
    type Out = u64;
    fn run<L: ?Sized, F: Copy + Fn(&L) -> Option<u32>>(self, local: &L, read: F) -> u64 {
        let local = black_box(local);
        let mut reads = 0;
        while let Some(value) = read(local) {
            if reads == 0 {
                // Release: what the reader sets up comes before.
                self.begun.fetch_add(1, Ordering::Release);
            }
            reads += 1;
            black_box(value);
        }
        reads
    }
}

/// How long a batch takes when so many threads run it at once: the mean of what each of them measured.
pub fn timed(threads: usize, batch: &(impl Fn() + Sync)) -> Duration {
    let at_start = AtomicUsize::new(0);
    let one = || {
        // Acquire and Release: all begin after the last has come.
        at_start.fetch_add(1, Ordering::Release);
        while at_start.load(Ordering::Acquire) < threads {
            std::hint::spin_loop();
        }
        let begin = Instant::now();
        batch();
        begin.elapsed()
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(one)).collect();
        let mut total = one();
        for other in others {
            total += other.join().expect("a batch does not panic");
        }
        total / threads as u32
    })
}
