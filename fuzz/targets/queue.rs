//! Whatever is started, cancelled and taken out, at whatever times, a platform's queues are sorted maps.
//!
//! The fuzzer chooses the size of the queues, how many there are, and then what is done, as bytes. All of it goes by the API that platforms have: `Monitor`
//! and the `Timers` that come of it. What is compared at each step: what is due and in which order, what is told of the next expiry and of the alarm, and each
//! timer's state.
#![no_main]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::time::Duration;

use driver_scope::platform::{Arm, Sim, Timers, TryCancel};
use driver_scope::timer::queue::{Due, Large, Medium, Monitor, Queue, QueueNode, Size, Small};
use driver_scope::{Error, Instant, MaySleep, TimerMode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut bytes = Bytes(input);
    let (size, queues) = (bytes.one(), 1 + usize::from(bytes.one() % 3));
    Sim::new().may_sleep(|cx| match size % 3 {
        0 => World::<Small>::new(queues, cx).run(&mut bytes),
        1 => World::<Medium>::new(queues, cx).run(&mut bytes),
        _ => World::<Large>::new(queues, cx).run(&mut bytes),
    });
});

/// More than move down at a time, several times over.
const TIMERS: usize = 320;

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    /// The next; zero at the end.
    fn one(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&byte, rest)) => {
                self.0 = rest;
                byte
            }
            None => 0,
        }
    }

    /// Some of any order of magnitude.
    fn distance(&mut self) -> u64 {
        let (shift, value) = (self.one(), u64::from(self.one()));
        value << (shift % 60)
    }

    fn instant(&mut self, now: u64) -> u64 {
        match self.one() % 8 {
            0 => now.saturating_sub(self.distance()),
            1 => u64::MAX - self.distance(),
            2 => self.distance(),
            3 | 4 => now.saturating_add(self.one().into()),
            _ => now.saturating_add(self.distance()),
        }
    }

    /// A timer; the same few, often.
    fn timer(&mut self) -> usize {
        match self.one() {
            few @ 0..128 => usize::from(few % 8),
            any => usize::from(any - 128) * TIMERS / 128,
        }
    }
}

/// The queues, each behind what stands for a lock. The test says whose context it is, and hears of alarms.
struct Queues<S: Size> {
    queues: Vec<RefCell<Queue<S>>>,
    here: Cell<usize>,
    alarmed: Cell<Option<usize>>,
}

// SAFETY: one thread; a queue is borrowed for a closure at a time, and what is taken out is called and finished by `World::expire`.
unsafe impl<S: Size> Monitor for Queues<S> {
    type Size = S;
    fn here(&self, _mode: TimerMode) -> Result<usize, Error> {
        Ok(self.here.get())
    }
    unsafe fn with<R>(&self, queue: usize, f: impl FnOnce(&mut Queue<S>) -> R) -> R {
        f(&mut self.queues[queue].borrow_mut())
    }
    unsafe fn wait<R>(
        &self,
        queue: usize,
        f: impl FnMut(&mut Queue<S>) -> Option<R>,
        _stalled: &dyn Fn(),
    ) -> R {
        // SAFETY: the caller's promise.
        unsafe { self.with(queue, f) }.expect("what runs is not waited for")
    }
    fn alarm(&self, queue: usize) {
        assert_eq!(self.alarmed.replace(Some(queue)), None);
    }
}
// SAFETY: one thread.
unsafe impl<S: Size> Sync for Queues<S> {}

thread_local! {
    static CALLED: Cell<Option<(usize, Instant)>> = const { Cell::new(None) };
}

unsafe extern "C" fn entry(context: *const (), expires: Instant) {
    CALLED.set(Some((context as usize, expires)));
}

/// What a timer should be.
#[derive(Clone, Copy, Default)]
struct Timer {
    queue: usize,
    pinned: bool,
    shut: bool,
    /// If it is armed: when it is due, and when it was started.
    key: Option<(u64, u64)>,
    expires: Option<u64>,
    slack: u64,
}

/// What a queue should be.
struct Expected {
    now: u64,
    pending: BTreeMap<(u64, u64), usize>,
    /// What it told last.
    told: u64,
}

struct World<'c, S: Size> {
    // Before the nodes, since they point to them.
    queues: Queues<S>,
    nodes: Vec<QueueNode>,
    expected: Vec<Expected>,
    timers: Vec<Timer>,
    started: u64,
    running: Option<usize>,
    cx: MaySleep<'c>,
}

impl<'c, S: Size> World<'c, S> {
    fn new(count: usize, cx: MaySleep<'c>) -> Self {
        let queues = Queues {
            queues: (0..count).map(|_| RefCell::new(Queue::new())).collect(),
            here: Cell::new(0),
            alarmed: Cell::new(None),
        };
        let pinned = |timer| timer % 5 == 1;
        let node = |timer| {
            let mode = match pinned(timer) {
                true => TimerMode::new().pinned(),
                false => TimerMode::new(),
            };
            QueueNode::on(&queues, mode, entry, timer as *const ()).expect("there are all modes")
        };
        World {
            nodes: (0..TIMERS).map(node).collect(),
            queues,
            expected: (0..count)
                .map(|_| Expected {
                    now: 0,
                    pending: BTreeMap::new(),
                    told: u64::MAX,
                })
                .collect(),
            timers: (0..TIMERS)
                .map(|timer| Timer {
                    pinned: pinned(timer),
                    ..Timer::default()
                })
                .collect(),
            started: 0,
            running: None,
            cx,
        }
    }

    fn run(&mut self, bytes: &mut Bytes<'_>) {
        while !bytes.0.is_empty() {
            self.queues
                .here
                .set(usize::from(bytes.one()) % self.expected.len());
            match bytes.one() % 16 {
                0..=8 => self.change(bytes),
                9..=11 => self.set_clock(bytes),
                12..=13 => {
                    self.expire(bytes);
                }
                14 => self.expire_all(bytes),
                _ => self.look(),
            }
        }
        // All that is left, in order.
        for queue in 0..self.expected.len() {
            self.queues.here.set(queue);
            self.expected[queue].now = u64::MAX;
            self.expire_all(&mut Bytes(&[]));
            assert!(self.expected[queue].pending.is_empty());
        }
    }

    /// What any context may do, a callback too.
    fn change(&mut self, bytes: &mut Bytes<'_>) {
        let now = self.expected[self.queues.here.get()].now;
        match bytes.one() % 8 {
            0..=3 => {
                let (timer, at) = (bytes.timer(), bytes.instant(now));
                self.start(timer, at, bytes);
            }
            4 => {
                // Many, some of them for the same instant: more than move down at once.
                let (first, many) = (bytes.timer(), usize::from(bytes.one()));
                let (at, step) = (bytes.instant(now), u64::from(bytes.one() % 4));
                for i in 0..many {
                    let at = at.saturating_add(i as u64 / 2 * step);
                    self.start((first + i) % TIMERS, at, &mut Bytes(&[]));
                }
            }
            5..=6 => {
                let timer = bytes.timer();
                self.try_cancel(timer);
            }
            _ => {
                let (timer, how) = (bytes.timer(), bytes.one());
                // (What runs would be waited for in vain.)
                if self.running != Some(timer) {
                    self.cancel(timer, how % 16 == 0);
                }
            }
        }
    }

    fn node(&self, timer: usize) -> NonNull<QueueNode> {
        NonNull::from(&self.nodes[timer])
    }

    fn start(&mut self, timer: usize, at: u64, bytes: &mut Bytes<'_>) {
        let how = bytes.one();
        let slack = match how % 4 {
            0 => Some(0),
            1 => None,
            _ => Some(bytes.distance()),
        };
        let how = match how {
            0..192 => Arm::Replace,
            _ => Arm::IfIdle,
        };
        // SAFETY: (here and below) the node lives as long as the queues.
        let found = unsafe {
            let slack = slack.map(Duration::from_nanos);
            let at = Instant::from_nanos(at);
            self.queues.arm(self.node(timer), at, slack, how)
        };
        let alarmed = self.queues.alarmed.take();
        let is = &mut self.timers[timer];
        if is.shut {
            assert_eq!((found, alarmed), (Err(Error::Closed), None));
            return self.check(timer);
        }
        assert_eq!(found, Ok(()));
        if how == Arm::IfIdle && is.key.is_some() {
            assert_eq!(alarmed, None);
            return self.check(timer);
        }
        if let Some(key) = is.key.take() {
            self.expected[is.queue].pending.remove(&key);
        }
        let stays = self.running == Some(timer) || (is.pinned && is.expires.is_some());
        if !stays {
            is.queue = self.queues.here.get();
        }
        is.slack = slack.unwrap_or(is.slack);
        is.expires = Some(at);
        self.started += 1;
        let key = (roundest(at, at.saturating_add(is.slack)), self.started);
        is.key = Some(key);
        let queue = &mut self.expected[is.queue];
        queue.pending.insert(key, timer);
        assert_eq!(alarmed, (key.0 < queue.told).then_some(is.queue));
        queue.told = queue.told.min(key.0);
        self.check(timer);
    }

    /// Takes it out of the map.
    fn take(&mut self, timer: usize) -> bool {
        let is = &mut self.timers[timer];
        let key = is.key.take();
        if let Some(key) = key {
            self.expected[is.queue].pending.remove(&key);
        }
        key.is_some()
    }

    fn try_cancel(&mut self, timer: usize) {
        // SAFETY: see `start`.
        let found = unsafe { self.queues.try_cancel(self.node(timer)) };
        let was_armed = self.take(timer);
        let expected = match (self.running == Some(timer), was_armed) {
            (true, _) => TryCancel::Running,
            (false, true) => TryCancel::Cancelled,
            (false, false) => TryCancel::Idle,
        };
        assert_eq!(found, expected);
        self.check(timer);
    }

    /// The cancel that waits, or the end.
    fn cancel(&mut self, timer: usize, shut: bool) {
        // SAFETY: see `start`.
        let found = unsafe {
            if shut {
                self.queues.shut(self.node(timer), self.cx, &|| {}).armed
            } else {
                self.queues.cancel(self.node(timer), self.cx, &|| {})
            }
        };
        self.timers[timer].shut |= shut;
        assert_eq!(found, self.take(timer));
        self.check(timer);
    }

    fn check(&self, timer: usize) {
        let is = self.timers[timer];
        // SAFETY: see `start`.
        let found = unsafe { self.queues.state(self.node(timer)) };
        assert_eq!(found.armed, is.key.is_some());
        assert_eq!(found.running, self.running == Some(timer));
        assert_eq!(found.expires.map(Instant::as_nanos), is.expires);
    }

    /// The clock of this queue goes on, or back.
    fn set_clock(&mut self, bytes: &mut Bytes<'_>) {
        let queue = &mut self.expected[self.queues.here.get()];
        queue.now = match bytes.one() % 8 {
            0 => queue.now.saturating_sub(bytes.distance()),
            1 => bytes.distance(),
            // To the very first.
            2..=4 => {
                let first = queue.pending.first_key_value();
                first.map_or(queue.now, |(&(due, _), _)| due)
            }
            _ => queue.now.saturating_add(bytes.distance()),
        };
    }

    fn look(&mut self) {
        let number = self.queues.here.get();
        let found = self.queues.queues[number].borrow_mut().next_expiry();
        let queue = &mut self.expected[number];
        let first = queue.pending.first_key_value().map(|(key, _)| key.0);
        // Early at most.
        assert_eq!(found.is_some(), first.is_some());
        let found = found.map_or(u64::MAX, Instant::as_nanos);
        assert!(first.is_none_or(|first| found <= first), "{found} is late");
        queue.told = found;
    }

    /// One step: calls what is due. Says whether there is more to be done at once.
    fn expire(&mut self, bytes: &mut Bytes<'_>) -> bool {
        let number = self.queues.here.get();
        // A callback cannot be inside another's queue here.
        let queue = &mut self.expected[number];
        let now = queue.now;
        let first = queue.pending.first_key_value();
        let first = first.map(|(&key, &timer)| (key.0, timer));
        let due = self.queues.queues[number]
            .borrow_mut()
            .take_due(Instant::from_nanos(now));
        match due {
            Due::Never => {
                assert_eq!(first, None);
                queue.told = u64::MAX;
                false
            }
            Due::At(at) => {
                let at = at.as_nanos();
                let (first, _) = first.expect("something is pending, since it is waited for");
                // If it is due already, there is more to be done first.
                assert!(
                    at >= now && at <= first.max(now),
                    "{at} at {now} for {first}"
                );
                queue.told = at;
                at == now
            }
            Due::Call(call) => {
                let (due, timer) = first.expect("something is pending");
                assert!(due <= now, "{due} is not due at {now}");
                assert_eq!(call.due().as_nanos(), due);
                queue.told = 0;
                self.take(timer);
                self.running = Some(timer);
                // SAFETY: just taken out, and not finished; no queue is borrowed.
                unsafe { call.make() };
                let (called, expires) = CALLED.take().expect("it was called");
                assert_eq!(called, timer);
                assert_eq!(Some(expires.as_nanos()), self.timers[timer].expires);
                // What it does itself, and others meanwhile.
                for _ in 0..bytes.one() % 4 {
                    self.queues
                        .here
                        .set(usize::from(bytes.one()) % self.expected.len());
                    self.change(bytes);
                }
                self.check(timer);
                self.running = None;
                self.queues.queues[number].borrow_mut().finished();
                self.queues.here.set(number);
                true
            }
        }
    }

    /// Until there is nothing more to be done.
    fn expire_all(&mut self, bytes: &mut Bytes<'_>) {
        let number = self.queues.here.get();
        // Each timer moves once for each level at most; and callbacks start others.
        let mut left = 64 * TIMERS + 16 * bytes.0.len();
        while self.expire(bytes) {
            left = left.checked_sub(1).expect("it comes to an end");
        }
        let Expected { now, pending, .. } = &self.expected[number];
        let first = pending.first_key_value().map(|(key, _)| key.0);
        assert!(
            first.is_none_or(|first| first > *now),
            "{first:?} is due at {now}"
        );
    }
}

/// By trying: the instant of a range that is a multiple of the highest power of two.
fn roundest(first: u64, last: u64) -> u64 {
    let of = |zeros: u32| {
        let unit = 1_u64 << zeros;
        let round = first.checked_next_multiple_of(unit)?;
        (round <= last).then_some(round)
    };
    (0..64).rev().find_map(of).unwrap_or(first)
}
