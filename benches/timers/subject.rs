//! What is done to every candidate, and the loops that do it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Timers are numbers; instants are nanoseconds since some start, which goes on only in `fire`.
pub trait Timers: Sync {
    /// Is told which of the threads calls from now on.
    fn begin(&self, thread: usize) {
        let _ = thread;
    }
    /// What the calling thread needs around all that it does (a runtime's context).
    fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }
    /// Starts a timer that is not pending.
    fn start(&self, timer: usize, at: u64);
    /// Cancels a timer that is pending.
    fn cancel(&self, timer: usize);
    /// Starts a timer again that is pending.
    fn restart(&self, timer: usize, at: u64);
    /// Waits, in a time of its own, for the first timer to expire, and takes it out: which, and when that is.
    fn fire(&self) -> (usize, u64);
    /// When the first expires, or nothing expires before.
    fn next(&self) -> u64;
}

/// The same without a lock.
pub trait Container: Send {
    fn within<R>(_of: &Mutex<Self>, f: impl FnOnce() -> R) -> R {
        f()
    }
    fn start(&mut self, timer: usize, at: u64);
    fn cancel(&mut self, timer: usize);
    fn restart(&mut self, timer: usize, at: u64) {
        self.cancel(timer);
        self.start(timer, at);
    }
    fn fire(&mut self) -> (usize, u64);
    fn next(&mut self) -> u64;
}

/// Behind the lock that our queue is behind, too.
pub struct Locked<C>(pub Mutex<C>);

impl<C: Container> Locked<C> {
    pub fn new(container: C) -> Self {
        Locked(Mutex::new(container))
    }

    #[inline(always)]
    fn lock(&self) -> MutexGuard<'_, C> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Container> Timers for Locked<C> {
    fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        C::within(&self.0, f)
    }
    #[inline(always)]
    fn start(&self, timer: usize, at: u64) {
        self.lock().start(timer, at);
    }
    #[inline(always)]
    fn cancel(&self, timer: usize) {
        self.lock().cancel(timer);
    }
    #[inline(always)]
    fn restart(&self, timer: usize, at: u64) {
        self.lock().restart(timer, at);
    }
    #[inline(always)]
    fn fire(&self) -> (usize, u64) {
        self.lock().fire()
    }
    #[inline(always)]
    fn next(&self) -> u64 {
        self.lock().next()
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// One of a few idle timers is started and cancelled.
    StartCancel,
    /// A pending timer, any of them, is started anew.
    Restart,
    /// The first expires, and is started anew.
    Fire,
    /// When the first expires.
    Next,
    /// Ten restarts, then one expiry: what time-outs that are seldom needed do.
    Use,
}

impl Op {
    pub const ALL: [Op; 5] = [Op::StartCancel, Op::Restart, Op::Next, Op::Fire, Op::Use];

    pub fn name(self) -> &'static str {
        match self {
            Op::StartCancel => "start+cancel",
            Op::Restart => "restart",
            Op::Fire => "fire",
            Op::Next => "next-expiry",
            Op::Use => "use",
        }
    }
}

/// How far off the deadlines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mix {
    Near,
    Far,
    Mixed,
}

impl Mix {
    pub const ALL: [Mix; 3] = [Mix::Near, Mix::Far, Mix::Mixed];

    pub fn name(self) -> &'static str {
        match self {
            Mix::Near => "near",
            Mix::Far => "far",
            Mix::Mixed => "mixed",
        }
    }
}

/// Numbers that look random (xorshift), as distances in time and as timers.
#[derive(Clone)]
pub struct Dice {
    state: u64,
    shift: u32,
    more: u64,
}

impl Dice {
    pub fn new(mix: Mix, seed: u64) -> Self {
        let (shift, more) = match mix {
            // Up to 1.05 ms.
            Mix::Near => (44, 0),
            // Up to 4.9 hours.
            Mix::Far => (20, 0),
            // Of any order of magnitude from 8 microseconds to 4.9 hours.
            Mix::Mixed => (20, 31),
        };
        Dice {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            shift,
            more,
        }
    }

    #[inline(always)]
    pub fn roll(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// How far off, never zero.
    #[inline(always)]
    pub fn distance(&self, roll: u64) -> u64 {
        ((roll >> self.shift) >> (roll & self.more)) + 1
    }

    /// One of so many (below 2^32).
    #[inline(always)]
    pub fn one_of(&self, roll: u64, count: usize) -> usize {
        (((roll & 0xffff_ffff) * count as u64) >> 32) as usize
    }
}

/// How many idle timers each thread has for start+cancel.
pub const IDLE: usize = 16;

/// The most threads.
pub const THREADS: usize = 2;

/// So many timers there are, with so many pending.
pub fn timers(pending: usize) -> usize {
    pending.max(THREADS) + IDLE * THREADS
}

/// A candidate with its timers, whatever its type.
pub trait Subject: Sync {
    fn fill(&self, pending: usize, mix: Mix);
    /// `calls` times.
    fn run(&self, op: Op, mix: Mix, thread: usize, threads: usize, calls: u64, seed: u64);
    /// Takes all out; the time that the longest took, and all.
    fn drain(&self, pending: usize) -> (f64, f64);
    fn started(&self, timer: usize, at: u64);
    fn restarted(&self, timer: usize, at: u64);
    fn cancelled(&self, timer: usize);
    fn fired(&self) -> (usize, u64);
    fn first(&self) -> u64;
}

pub struct Of<T> {
    pub timers: T,
    pending: usize,
    now: AtomicU64,
}

impl<T: Timers> Of<T> {
    pub fn new(timers: T, pending: usize) -> Self {
        Of {
            timers,
            pending,
            now: AtomicU64::new(0),
        }
    }

    #[inline(always)]
    fn now(&self) -> u64 {
        // Relaxed, here and below: the time goes on only where one thread works.
        self.now.load(Ordering::Relaxed)
    }
}

impl<T: Timers> Subject for Of<T> {
    fn fill(&self, pending: usize, mix: Mix) {
        let mut dice = Dice::new(mix, 1);
        self.timers.within(|| {
            for timer in 0..pending {
                let roll = dice.roll();
                self.timers.start(timer, self.now() + dice.distance(roll));
            }
        });
    }

    #[inline(never)]
    fn run(&self, op: Op, mix: Mix, thread: usize, threads: usize, calls: u64, seed: u64) {
        let timers = &self.timers;
        timers.begin(thread);
        let mut dice = Dice::new(mix, seed);
        let idle = self.pending.max(THREADS) + IDLE * thread;
        let mine = (self.pending / threads).max(1);
        let offset = mine * thread;
        let fire = |dice: &mut Dice| {
            let (timer, at) = timers.fire();
            self.now.store(at, Ordering::Relaxed);
            let roll = dice.roll();
            timers.start(timer, at + dice.distance(roll));
        };
        let restart = |dice: &mut Dice| {
            let roll = dice.roll();
            let timer = offset + dice.one_of(roll, mine);
            timers.restart(timer, self.now() + dice.distance(roll));
        };
        timers.within(|| match op {
            Op::StartCancel => {
                for call in 0..calls {
                    let timer = idle + call as usize % IDLE;
                    let roll = dice.roll();
                    timers.start(timer, self.now() + dice.distance(roll));
                    timers.cancel(timer);
                }
            }
            Op::Restart => {
                for _ in 0..calls {
                    restart(&mut dice);
                }
            }
            Op::Fire => {
                for _ in 0..calls {
                    fire(&mut dice);
                }
            }
            Op::Next => {
                for _ in 0..calls {
                    std::hint::black_box(timers.next());
                }
            }
            Op::Use => {
                for call in 0..calls {
                    if call % 11 == 10 {
                        fire(&mut dice);
                    } else {
                        restart(&mut dice);
                    }
                }
            }
        });
    }

    fn drain(&self, pending: usize) -> (f64, f64) {
        let mut longest = 0.0_f64;
        let begin = std::time::Instant::now();
        let mut last = begin;
        self.timers.within(|| {
            for _ in 0..pending {
                self.timers.fire();
                let now = std::time::Instant::now();
                longest = longest.max((now - last).as_nanos() as f64);
                last = now;
            }
        });
        (longest, (last - begin).as_nanos() as f64 / pending as f64)
    }

    fn started(&self, timer: usize, at: u64) {
        self.timers.within(|| self.timers.start(timer, at));
    }
    fn restarted(&self, timer: usize, at: u64) {
        self.timers.within(|| self.timers.restart(timer, at));
    }
    fn cancelled(&self, timer: usize) {
        self.timers.within(|| self.timers.cancel(timer));
    }
    fn fired(&self) -> (usize, u64) {
        self.timers.within(|| self.timers.fire())
    }
    fn first(&self) -> u64 {
        self.timers.within(|| self.timers.next())
    }
}
