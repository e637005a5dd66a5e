//! The queue against a sorted map.

use super::*;
use crate::platform::{Arm, Timers, TryCancel};
use crate::timer::Clock;
use core::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::vec::Vec;

unsafe extern "C" fn nothing(_context: *const (), _expires: Instant) {}

/// Numbers that look random (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Near, far, equal to others, past, or at the end of time.
    fn instant(&mut self, now: u64) -> u64 {
        let roll = self.roll();
        match roll % 16 {
            0 => now.saturating_sub(roll >> 48),
            1 => u64::MAX - (roll >> 60),
            2 => 0,
            3..=6 => now.saturating_add(roll >> 60),
            // A distance of any order of magnitude.
            _ => now.saturating_add((roll >> 8) >> (roll % 56)),
        }
    }
}

impl Dice {
    /// None mostly, else of any order of magnitude.
    fn slack(&mut self) -> u64 {
        let roll = self.roll();
        match roll % 4 {
            0 => (roll >> 2) >> (roll % 62),
            _ => 0,
        }
    }
}

/// What the queue should be.
#[derive(Default)]
struct Model {
    started: u64,
    /// By expiry, then by start.
    pending: BTreeMap<(u64, u64), usize>,
    /// For each timer: where in the map, and the instant it was started for.
    timers: Vec<Option<((u64, u64), u64)>>,
}

impl Model {
    fn start(&mut self, timer: usize, at: u64, slack: u64) {
        self.cancel(timer);
        self.started += 1;
        let due = slow_roundest(at, at.saturating_add(slack));
        let key = (due, self.started);
        self.pending.insert(key, timer);
        self.timers[timer] = Some((key, at));
    }

    fn cancel(&mut self, timer: usize) -> bool {
        match self.timers[timer].take() {
            Some((key, _)) => self.pending.remove(&key).is_some(),
            None => false,
        }
    }

    fn take_due(&mut self, now: u64) -> Option<(usize, u64)> {
        let (&key, &timer) = self.pending.first_key_value()?;
        if key.0 > now {
            return None;
        }
        self.pending.remove(&key);
        self.timers[timer].take().map(|(_, at)| (timer, at))
    }
}

/// By trying: the instant of a range that is a multiple of the highest power of two.
fn slow_roundest(first: u64, last: u64) -> u64 {
    for zeros in (1..64).rev() {
        let unit = 1_u64 << zeros;
        // (`first` rounded up; past the end of the clock there is none.)
        let round = first.checked_add(unit - 1).map(|at| at / unit * unit);
        if let Some(round) = round.filter(|&round| round <= last) {
            return round;
        }
    }
    first
}

/// # Safety
/// The node stays valid until it is disarmed.
unsafe fn start<S: Size>(queue: &mut Queue<S>, node: NonNull<QueueNode>, at: u64, slack: u64) {
    // SAFETY: the caller's promise; disarmed before it is armed.
    unsafe { queue.rearm(node, Instant::from_nanos(at), Some(slack)) };
}

#[test]
fn the_roundest_of_a_range_is_in_it_and_has_the_most_zeros() {
    let mut dice = Dice(0x5eed_0008);
    for _ in 0..STEPS {
        let first = dice.instant(dice.0 >> (dice.0 % 64));
        let last = first.saturating_add(dice.slack());
        assert_eq!(
            roundest(first, last),
            slow_roundest(first, last),
            "{first} to {last}"
        );
    }
    assert_eq!(roundest(0, u64::MAX), 0);
    assert_eq!(roundest(1, u64::MAX), 1 << 63);
    assert_eq!(roundest(u64::MAX, u64::MAX), u64::MAX);
    assert_eq!(roundest(1000, 1000), 1000);
    assert_eq!(roundest(1000, 1100), 1024);
}

fn against_a_map<S: Size>(seed: u64, timers: usize, steps: usize) {
    let nodes: Vec<QueueNode> = (0..timers)
        .map(|timer| QueueNode::new(nothing, timer as *const ()))
        .collect();
    let mut queue = Queue::<S>::new();
    let mut model = Model {
        timers: (0..timers).map(|_| None).collect(),
        ..Model::default()
    };
    let mut dice = Dice(seed);
    let mut now = 0_u64;
    for _ in 0..steps {
        if now > u64::MAX / 2 {
            // At the end of time all is past. Once is enough; from the start again.
            for node in &nodes {
                // SAFETY: the nodes outlive the queue's use.
                unsafe { queue.disarm(NonNull::from(node)) };
            }
            (queue, now) = (Queue::new(), 0);
            model.started = 0;
            model.pending.clear();
            model.timers.fill(None);
        }
        let timer = (dice.roll() % timers as u64) as usize;
        let node = NonNull::from(&nodes[timer]);
        match dice.roll() % 8 {
            0..=3 => {
                let (at, slack) = (dice.instant(now), dice.slack());
                // SAFETY: the nodes outlive the queue's use; disarmed before it is armed.
                unsafe { start(&mut queue, node, at, slack) };
                model.start(timer, at, slack);
            }
            4..=5 => {
                // SAFETY: as above.
                assert_eq!(unsafe { queue.disarm(node) }, model.cancel(timer));
            }
            _ => {
                // Sometimes to the very instant, sometimes beyond, sometimes not at all.
                now = match dice.roll() % 4 {
                    0 => queue.next_expiry().map_or(now, |at| at.as_nanos().max(now)),
                    1 => now,
                    // The clock is set back.
                    2 if dice.roll() % 8 == 0 => {
                        now.saturating_sub(dice.roll() >> (dice.roll() % 64))
                    }
                    _ => dice.instant(now).max(now).min(now.saturating_add(1 << 40)),
                };
                loop {
                    let due = queue.take_due(Instant::from_nanos(now));
                    let expected = model.take_due(now);
                    let Due::Call(call) = due else {
                        assert_eq!(expected, None);
                        let first = model.pending.first_key_value().map(|(key, _)| key.0);
                        match (due, first) {
                            (Due::Never, None) => {}
                            // Never late; early at most, and not in the past.
                            (Due::At(at), Some(first)) => {
                                // (At `now`, if there is more to be done first.)
                                assert!((now..=first).contains(&at.as_nanos()));
                                if at.as_nanos() == now {
                                    continue;
                                }
                            }
                            (due, first) => panic!("{due:?}, but the first is at {first:?}"),
                        }
                        break;
                    };
                    let found = (call.context as usize, call.expires().as_nanos());
                    assert_eq!(Some(found), expected);
                    queue.finished();
                    // A callback that starts something.
                    if dice.roll() % 4 == 0 {
                        let timer = (dice.roll() % timers as u64) as usize;
                        let (at, slack) = (dice.instant(found.1), dice.slack());
                        let node = NonNull::from(&nodes[timer]);
                        // SAFETY: as above.
                        unsafe { start(&mut queue, node, at, slack) };
                        model.start(timer, at, slack);
                    }
                }
            }
        }
        // Not each time: to ask is to give the fresh ones their slots.
        if dice.roll() % 32 == 0 {
            assert_eq!(queue.next_expiry().is_none(), model.pending.is_empty());
        }
    }
}

/// Several queues of one platform; the test says whose context it is.
struct Several {
    queues: Vec<RefCell<Queue<Small>>>,
    here: Cell<usize>,
}

// SAFETY: single-threaded; a queue is borrowed for a closure at a time.
unsafe impl Sync for Several {}
// SAFETY: as above; what is taken out is called and finished by `expire`.
unsafe impl Monitor for Several {
    type Size = Small;
    fn here(&self, _mode: TimerMode) -> Result<usize, Error> {
        Ok(self.here.get())
    }
    unsafe fn with<R>(&self, queue: usize, f: impl FnOnce(&mut Queue<Small>) -> R) -> R {
        f(&mut self.queues[queue].borrow_mut())
    }
    unsafe fn wait<R>(
        &self,
        queue: usize,
        f: impl FnMut(&mut Queue<Small>) -> Option<R>,
        _stalled: &dyn Fn(),
    ) -> R {
        // SAFETY: the caller's promise.
        unsafe { self.with(queue, f) }.expect("nothing runs")
    }
    fn alarm(&self, _queue: usize) {}
}

/// Where a timer should be: its queue, and if it is armed when it is due and when it was started.
#[derive(Clone, Copy, Default)]
struct Place {
    queue: usize,
    key: Option<(u64, u64)>,
    at: u64,
    started: bool,
}

/// Timers started by the contexts of several queues, some of them pinned, expire each in the queue where it should be, in order.
fn several_against_a_list(seed: u64, queues: usize, steps: usize) {
    const TIMERS: usize = 12;
    const EXACT: Option<Duration> = Some(Duration::ZERO);
    let monitor = Several {
        queues: (0..queues).map(|_| RefCell::new(Queue::new())).collect(),
        here: Cell::new(0),
    };
    let mode = |timer: usize| match timer % 3 {
        0 => TimerMode::new().pinned(),
        _ => TimerMode::new(),
    };
    let nodes: Vec<QueueNode> = (0..TIMERS)
        .map(|timer| {
            QueueNode::on(&monitor, mode(timer), nothing, timer as *const ()).expect("all modes")
        })
        .collect();
    let mut places = [Place::default(); TIMERS];
    let mut dice = Dice(seed);
    let (mut now, mut started) = (0_u64, 0);
    let mut start = |places: &mut [Place], dice: &mut Dice, running: Option<usize>, now: u64| {
        let timer = (dice.roll() % TIMERS as u64) as usize;
        let how = [Arm::Replace, Arm::IfIdle][(dice.roll() % 4 / 3) as usize];
        let at = now + dice.roll() % 50;
        // SAFETY: the nodes outlive the queues' use.
        unsafe {
            monitor.arm(
                NonNull::from(&nodes[timer]),
                Instant::from_nanos(at),
                EXACT,
                how,
            )
        }
        .expect("not shut");
        let place = &mut places[timer];
        if how == Arm::IfIdle && place.key.is_some() {
            return;
        }
        let stays = running == Some(timer) || mode(timer).pinned && place.started;
        if !stays {
            place.queue = monitor.here.get();
        }
        started += 1;
        (place.key, place.at, place.started) = (Some((at, started)), at, true);
    };
    for _ in 0..steps {
        monitor.here.set((dice.roll() % queues as u64) as usize);
        match dice.roll() % 8 {
            0..=4 => start(&mut places, &mut dice, None, now),
            5 => {
                let timer = (dice.roll() % TIMERS as u64) as usize;
                let expected = match places[timer].key.take() {
                    Some(_) => TryCancel::Cancelled,
                    None => TryCancel::Idle,
                };
                // SAFETY: as above.
                let found = unsafe { monitor.try_cancel(NonNull::from(&nodes[timer])) };
                assert_eq!(found, expected);
            }
            _ => {
                now += dice.roll() % 30;
                let queue = monitor.here.get();
                loop {
                    let due = monitor.queues[queue]
                        .borrow_mut()
                        .take_due(Instant::from_nanos(now));
                    let timers = places.iter().enumerate();
                    let expected = timers
                        .filter(|(_, place)| place.queue == queue)
                        .filter_map(|(timer, place)| Some((place.key?, timer)))
                        .filter(|&((at, _), _)| at <= now)
                        .min();
                    let Due::Call(call) = due else {
                        assert_eq!(expected, None);
                        break;
                    };
                    let timer = call.context as usize;
                    assert_eq!(Some(timer), expected.map(|(_, timer)| timer));
                    assert_eq!(call.expires().as_nanos(), places[timer].at);
                    assert!(call.due() >= call.expires());
                    places[timer].key = None;
                    // The callback starts something, itself perhaps; and so do others meanwhile.
                    for _ in 0..dice.roll() % 3 {
                        monitor.here.set((dice.roll() % queues as u64) as usize);
                        start(&mut places, &mut dice, Some(timer), now + 1);
                    }
                    monitor.here.set(queue);
                    monitor.queues[queue].borrow_mut().finished();
                }
            }
        }
        for (place, node) in places.iter().zip(&nodes) {
            assert!(node.belongs_to(place.queue));
        }
    }
}

#[test]
fn timers_are_in_the_queue_where_they_were_started() {
    several_against_a_list(0x5eed_0009, 2, STEPS / 2);
    several_against_a_list(0x5eed_000a, 5, STEPS / 2);
}

/// A clock that is set back leaves a queue in which starting takes constant time: nothing is kept as past.
#[test]
fn a_clock_that_goes_back_leaves_nothing_in_the_past() {
    let nodes: Vec<QueueNode> = (0..100)
        .map(|timer| QueueNode::new(nothing, timer as *const ()))
        .collect();
    let mut queue = Queue::<Small>::new();
    let add = |queue: &mut Queue<Small>, i: usize| {
        // SAFETY: the nodes outlive the queue's use.
        unsafe { start(queue, NonNull::from(&nodes[i]), 1_000_000 + i as u64 % 7, 0) }
    };
    let late = Instant::from_nanos(2_000_000);
    assert!(matches!(queue.take_due(late), Due::Never));
    (0..50).for_each(|i| add(&mut queue, i));
    assert!(queue.wheel.has_past());
    // Back to before all of them.
    assert!(matches!(queue.take_due(Instant::from_nanos(5)), Due::At(_)));
    assert!(!queue.wheel.has_past());
    (50..100).for_each(|i| add(&mut queue, i));
    assert!(!queue.wheel.has_past());
    let mut order: Vec<usize> = (0..100).collect();
    order.sort_by_key(|i| i % 7);
    for expected in order {
        let call = loop {
            match queue.take_due(late) {
                Due::Call(call) => break call,
                // There is more to be done first.
                Due::At(at) if at == late => {}
                due => panic!("{expected} is due, and not {due:?}"),
            }
        };
        assert_eq!(call.context as usize, expected);
        queue.finished();
    }
    assert!(matches!(queue.take_due(late), Due::Never));
}

/// Many timers in one slot: nobody waits for the lock while they all move, and what is started and cancelled in between has its place.
#[test]
fn a_large_slot_moves_down_by_and_by() {
    // More than move at once; Miri has its limits.
    const MANY: usize = if cfg!(miri) { 400 } else { 1000 };
    // In one slot of a high level, whatever the size; pairs for the same instant.
    let base = 1_u64 << 40;
    let at = |i: usize| base + (MANY - i / 2) as u64;
    let nodes: Vec<QueueNode> = (0..2 * MANY)
        .map(|timer| QueueNode::new(nothing, timer as *const ()))
        .collect();
    let mut queue = Queue::<Large>::new();
    let mut model = Model {
        timers: (0..2 * MANY).map(|_| None).collect(),
        ..Model::default()
    };
    let begin = |queue: &mut Queue<Large>, model: &mut Model, i: usize, at: u64| {
        // SAFETY: the nodes outlive the queue's use.
        unsafe { start(queue, NonNull::from(&nodes[i]), at, 0) };
        model.start(i, at, 0);
    };
    for i in 0..MANY {
        begin(&mut queue, &mut model, i, at(i));
    }
    let end = base + 2 * MANY as u64;
    let (mut looks, mut next, mut fired) = (0, MANY, 0);
    while fired < model.timers.len() {
        match queue.take_due(Instant::from_nanos(end)) {
            Due::Call(call) => {
                let expected = model.take_due(end).map(|(timer, _)| timer);
                assert_eq!(Some(call.context as usize), expected);
                queue.finished();
                fired += 1;
            }
            Due::At(again) => {
                assert_eq!(again.as_nanos(), end, "there is more to be done first");
                let first = queue.next_expiry().map(Instant::as_nanos);
                let expected = model.pending.first_key_value().map(|(key, _)| key.0);
                assert!(first <= expected, "{first:?} is after {expected:?}");
                looks += 1;
            }
            Due::Never => assert!(next < 2 * MANY, "{fired} have fired"),
        }
        // While they move: more for the same instants as others, which have moved or are yet to, and one that is put off.
        if next < 2 * MANY && looks % 2 == 1 {
            let same = match next % 2 {
                0 => next - MANY,
                _ => 2 * MANY - 1 - next,
            };
            begin(&mut queue, &mut model, next, at(same).max(base + 600));
            next += 1;
        } else if next < 2 * MANY && fired > 0 {
            begin(&mut queue, &mut model, next, end - 1);
            next += 1;
        }
    }
    assert!(looks >= MANY / 64, "only {looks} pauses");
}

/// The clock goes back while a slot has moved down in part: what has moved was started before what has not.
#[test]
fn a_clock_that_goes_back_while_a_slot_moves_keeps_the_order() {
    const MANY: usize = 200;
    let nodes: Vec<QueueNode> = (0..MANY)
        .map(|timer| QueueNode::new(nothing, timer as *const ()))
        .collect();
    let mut queue = Queue::<Small>::new();
    for node in &nodes {
        // SAFETY: the nodes outlive the queue's use.
        unsafe { start(&mut queue, NonNull::from(node), 1_000_000, 0) };
    }
    let late = Instant::from_nanos(1_000_000);
    assert!(matches!(queue.take_due(late), Due::At(at) if at == late));
    assert!(matches!(queue.take_due(Instant::from_nanos(5)), Due::At(_)));
    for expected in 0..MANY {
        let call = loop {
            match queue.take_due(late) {
                Due::Call(call) => break call,
                // There is more to be done first.
                Due::At(at) if at == late => {}
                due => panic!("{expected} is due, and not {due:?}"),
            }
        };
        assert_eq!(call.context as usize, expected);
        queue.finished();
    }
}

/// A platform that says nothing of modes has one: another is refused.
#[test]
fn a_monitor_has_no_modes_unless_it_says_so() {
    struct Plain(RefCell<Queue<Small>>);
    // SAFETY: single-threaded, and never called.
    unsafe impl Monitor for Plain {
        type Size = Small;
        unsafe fn with<R>(&self, _: usize, f: impl FnOnce(&mut Queue<Small>) -> R) -> R {
            f(&mut self.0.borrow_mut())
        }
        unsafe fn wait<R>(
            &self,
            _: usize,
            _: impl FnMut(&mut Queue<Small>) -> Option<R>,
            _: &dyn Fn(),
        ) -> R {
            unreachable!()
        }
        fn alarm(&self, _: usize) {}
    }
    let plain = Plain(RefCell::new(Queue::new()));
    let on = |mode| QueueNode::on(&plain, mode, nothing, core::ptr::null()).map(drop);
    assert_eq!(on(TimerMode::new()), Ok(()));
    assert_eq!(on(TimerMode::new().pinned()), Ok(()));
    assert_eq!(on(TimerMode::new().soft()), Err(Error::Unsupported));
    for clock in [Clock::RealTime, Clock::BootTime] {
        assert_eq!(on(TimerMode::new().clock(clock)), Err(Error::Unsupported));
    }
}

/// How long: Miri and a debug build have their limits.
const STEPS: usize = if cfg!(miri) {
    500
} else if cfg!(debug_assertions) {
    100_000
} else {
    3_000_000
};

#[test]
fn a_small_queue_is_a_sorted_map() {
    against_a_map::<Small>(0x5eed_0001, 3, STEPS);
    against_a_map::<Small>(0x5eed_0002, 100, STEPS);
}

#[test]
fn a_medium_queue_is_a_sorted_map() {
    against_a_map::<Medium>(0x5eed_0003, 3, STEPS);
    against_a_map::<Medium>(0x5eed_0004, 100, STEPS);
}

#[test]
fn a_large_queue_is_a_sorted_map() {
    against_a_map::<Large>(0x5eed_0005, 3, STEPS);
    against_a_map::<Large>(0x5eed_0006, 100, STEPS);
    against_a_map::<Large>(0x5eed_0007, if cfg!(miri) { 500 } else { 5000 }, STEPS);
}
