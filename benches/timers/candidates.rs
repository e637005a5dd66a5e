//! Who takes part, and what each can do.

use std::collections::BTreeMap;

use driver_scope::timer::queue::{Large, Medium, Small};
use driver_scope_benches::rivals::version;

use super::checked::{Checked, Note};
use super::containers::{Floor, LazyHeap, Nothing, RedBlack, SortedMap};
use super::heaps::{FourHeap, PairingHeap};
use super::ours::Ours;
use super::runtimes::{descriptors, AsyncIo, TimerFd, TokioQueue, TokioSleep};
use super::subject::{timers, Container, Dice, Locked, Mix, Of, Op, Subject, Timers};
use super::wheels::{Embassy, HashWheel, Nexus};

pub struct Candidate {
    /// How the command line calls it.
    pub id: &'static str,
    pub name: String,
    pub ours: bool,
    /// Not a rival, but what the others are compared with.
    pub base: bool,
    /// Not a rival, but a structure that our queue could have had.
    pub structure: bool,
    /// It has a thread of its own.
    pub threaded: bool,
    /// Its work is done by the kernel, where no instructions are counted.
    pub kernel: bool,
    /// Whether it fires in the order of instants, and of starts where those are equal.
    pub exact: bool,
    pub cannot: &'static [Op],
    /// What a reader must know.
    pub note: &'static str,
    /// The most timers that it can have pending.
    pub most: usize,
    /// Bytes without any timer.
    pub fixed: usize,
    make: fn(usize) -> Box<dyn Subject>,
}

impl Candidate {
    /// With its timers, so many of which can be pending.
    pub fn make(&self, pending: usize) -> Box<dyn Subject> {
        (self.make)(pending)
    }

    pub fn can(&self, op: Op) -> bool {
        !self.cannot.contains(&op)
    }

    /// Whether it runs on two threads.
    pub fn can_with(&self, op: Op, threads: usize) -> bool {
        self.can(op) && (threads == 1 || !matches!(op, Op::Fire | Op::Use))
    }

    /// Against a sorted map: it says which is the first, fires in order, and what was cancelled not at all.
    pub fn verify(&self) {
        const TIMERS: usize = 300;
        if self.base {
            return;
        }
        for mix in Mix::ALL {
            let subject = self.make(TIMERS);
            let mut model = Model::default();
            let mut dice = Dice::new(mix, 7);
            for timer in 0..TIMERS {
                let roll = dice.roll();
                // Some are for the same instant.
                let at = dice.distance(roll) / 2 * 2 + 1;
                subject.started(timer, at);
                model.start(timer, at);
            }
            if self.can(Op::StartCancel) {
                for timer in (0..TIMERS).step_by(3) {
                    subject.cancelled(timer);
                    model.cancel(timer);
                }
            }
            if self.can(Op::Restart) {
                for timer in (1..TIMERS).step_by(3) {
                    let roll = dice.roll();
                    let at = dice.distance(roll);
                    subject.restarted(timer, at);
                    model.cancel(timer);
                    model.start(timer, at);
                }
            }
            if self.can(Op::Next) && self.exact {
                // Nothing before.
                let first = model.pending.first_key_value().expect("some are pending");
                assert!(subject.first() <= first.0 .0, "{}", self.id);
            }
            if !self.can(Op::Fire) {
                continue;
            }
            let mut last = 0;
            while let Some(expected) = model.pending.pop_first() {
                let (timer, at) = subject.fired();
                if self.exact {
                    assert_eq!((timer, at), (expected.1, expected.0 .0), "{}", self.id);
                } else {
                    let at = model.timers.remove(&timer);
                    let at = at
                        .unwrap_or_else(|| panic!("{}: {timer} is not pending", self.id))
                        .0;
                    // By ticks of a millisecond.
                    assert!(
                        at / TICK + 1 >= last / TICK,
                        "{}: {at} after {last}",
                        self.id
                    );
                    last = last.max(at);
                }
            }
        }
    }
}

const TICK: u64 = 1_000_000;

/// What each should be.
#[derive(Default)]
struct Model {
    started: u64,
    pending: BTreeMap<(u64, u64), usize>,
    timers: BTreeMap<usize, (u64, u64)>,
}

impl Model {
    fn start(&mut self, timer: usize, at: u64) {
        self.started += 1;
        self.pending.insert((at, self.started), timer);
        self.timers.insert(timer, (at, self.started));
    }
    fn cancel(&mut self, timer: usize) {
        let key = self.timers.remove(&timer).expect("it is pending");
        self.pending.remove(&key);
    }
}

fn subject<T: Timers + 'static>(make: fn(usize) -> T, pending: usize) -> Box<dyn Subject> {
    Box::new(Of::new(make(timers(pending)), pending))
}

fn locked<C: Container + 'static>(make: fn(usize) -> C, pending: usize) -> Box<dyn Subject> {
    Box::new(Of::new(Locked::new(make(timers(pending))), pending))
}

/// All of them; first the one that the others are compared with.
pub fn all() -> Vec<Candidate> {
    let new = |id, name: &str, fixed, make| Candidate {
        id,
        name: name.to_owned(),
        ours: false,
        base: false,
        structure: false,
        threaded: false,
        kernel: false,
        exact: true,
        cannot: &[],
        note: "",
        most: usize::MAX,
        fixed,
        make,
    };
    let ours = |id, name, fixed, make| Candidate {
        ours: true,
        ..new(id, name, fixed, make)
    };
    let structure = |id, name, note, fixed, make| Candidate {
        structure: true,
        note,
        ..new(id, name, fixed, make)
    };
    let named = |name: &str, package| format!("{name} {}", version(package));
    vec![
        ours("large", "driver-scope, Large", Ours::<Large>::FIXED, |n| {
            subject(Ours::<Large>::new, n)
        }),
        ours("medium", "driver-scope, Medium", Ours::<Medium>::FIXED, |n| {
            subject(Ours::<Medium>::new, n)
        }),
        Candidate {
            cannot: &[Op::Fire, Op::Use, Op::Next],
            note: "as a platform with timers on each processor has it",
            ..ours("two", "driver-scope, a queue for each of 2 threads", Ours::<Large, 2>::FIXED, |n| {
                subject(Ours::<Large, 2>::new, n)
            })
        },
        ours("small", "driver-scope, Small", Ours::<Small>::FIXED, |n| {
            subject(Ours::<Small>::new, n)
        }),
        Candidate {
            base: true,
            note: "what the loop costs",
            ..new("nothing", "the loop alone", 0, |n| subject(|_| Nothing, n))
        },
        Candidate {
            base: true,
            note: "what the lock costs, and one write to the timer",
            ..new("floor", "lock + one write", size_of::<Locked<Floor>>(), |n| {
                locked(Floor::new, n)
            })
        },
        structure("pairing", "pairing heap", "an expiry pays for the starts before it", size_of::<Locked<PairingHeap<()>>>(), |n| {
            locked(PairingHeap::<()>::new, n)
        }),
        structure(
            "pairing-checked",
            "pairing heap, our checks",
            "an expiry pays for the starts before it",
            size_of::<Checked<PairingHeap<Note>>>(),
            |n| subject(|n| Checked::new(PairingHeap::new(n), n), n),
        ),
        structure("4-ary", "4-ary heap, handles", "an array: starting may allocate", size_of::<Locked<FourHeap<()>>>(), |n| {
            locked(FourHeap::<()>::new, n)
        }),
        structure(
            "4-ary-checked",
            "4-ary heap, our checks",
            "an array: starting may allocate",
            size_of::<Checked<FourHeap<Note>>>(),
            |n| subject(|n| Checked::new(FourHeap::new(n), n), n),
        ),
        Candidate {
            note: "starting may allocate",
            ..new("btree", "BTreeMap", size_of::<Locked<SortedMap>>(), |n| {
                locked(SortedMap::new, n)
            })
        },
        Candidate {
            note: "cancelled ones stay, up to half of all; starting may allocate",
            ..new("binary", "BinaryHeap, lazy", size_of::<Locked<LazyHeap>>(), |n| {
                locked(LazyHeap::new, n)
            })
        },
        Candidate {
            name: named("intrusive-collections RBTree", "intrusive-collections"),
            note: "the structure of Linux's hrtimers",
            ..new("rbtree", "", size_of::<Locked<RedBlack>>(), |n| {
                locked(RedBlack::new, n)
            })
        },
        Candidate {
            name: named("tokio Sleep", "tokio"),
            exact: false,
            cannot: &[Op::Fire, Op::Use, Op::Next],
            note: "its own lock; ticks of 1 ms; a paused runtime of one thread; fires below",
            ..new("tokio", "", 0, |n| subject(TokioSleep::new, n))
        },
        Candidate {
            name: named("tokio-util DelayQueue", "tokio-util"),
            exact: false,
            note: "ticks of 1 ms; fires in a paused runtime, whose clock is moved; starting may allocate",
            ..new("delay-queue", "", 0, |n| locked(TokioQueue::new, n))
        },
        Candidate {
            name: named("async-io Timer", "async-io"),
            threaded: true,
            cannot: &[Op::Fire, Op::Use, Op::Next],
            note: "its own lock, queue and thread; real time only; starting may allocate",
            ..new("async-io", "", 0, |n| subject(AsyncIo::new, n))
        },
        Candidate {
            name: named("embassy queue", "embassy-time-queue-utils"),
            exact: false,
            cannot: &[Op::StartCancel, Op::Restart, Op::Use],
            note: "a list in no order; a timer can be neither cancelled nor put off",
            ..new("embassy", "", size_of::<Locked<Embassy>>(), |n| locked(Embassy::new, n))
        },
        Candidate {
            name: named("nexus-timer", "nexus-timer"),
            exact: false,
            note: "ticks of 1 ms; not shareable, forced; starting may allocate",
            ..new("nexus", "", 0, |n| locked(Nexus::new, n))
        },
        Candidate {
            name: named("hash_wheel_timer", "hierarchical_hash_wheel_timer"),
            exact: false,
            note: "ticks of 1 ms; what is cancelled stays; not shareable, forced; starting allocates",
            ..new("hash-wheel", "", 0, |n| locked(HashWheel::new, n))
        },
        Candidate {
            cannot: &[Op::Fire, Op::Use, Op::Next],
            kernel: true,
            note: "a descriptor for each timer; real time only; in the kernel, where no instructions are counted",
            most: descriptors(),
            ..new("timerfd", "timerfd", 0, |n| subject(TimerFd::new, n))
        },
    ]
}
