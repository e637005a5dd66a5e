//! The queue against a sorted map.

use super::*;
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
    fn start(&mut self, timer: usize, at: u64) {
        self.cancel(timer);
        self.started += 1;
        let key = (at, self.started);
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
                let at = dice.instant(now);
                // SAFETY: the nodes outlive the queue's use; disarmed before it is armed.
                unsafe {
                    queue.disarm(node);
                    queue.insert(node, Instant::from_nanos(at));
                }
                model.start(timer, at);
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
                                assert!((now + 1..=first).contains(&at.as_nanos()));
                            }
                            (due, first) => panic!("{due:?}, but the first is at {first:?}"),
                        }
                        break;
                    };
                    let found = (call.context as usize, call.expires.as_nanos());
                    assert_eq!(Some(found), expected);
                    queue.finished();
                    // A callback that starts something.
                    if dice.roll() % 4 == 0 {
                        let timer = (dice.roll() % timers as u64) as usize;
                        let at = dice.instant(found.1);
                        let node = NonNull::from(&nodes[timer]);
                        // SAFETY: as above.
                        unsafe {
                            queue.disarm(node);
                            queue.insert(node, Instant::from_nanos(at));
                        }
                        model.start(timer, at);
                        // Else it could go on for ever.
                        if at <= now {
                            now = now.max(at);
                        }
                    }
                }
            }
        }
        assert_eq!(queue.next_expiry().is_none(), model.pending.is_empty());
    }
}

/// How long: Miri and a debug build have their limits.
const STEPS: usize = if cfg!(debug_assertions) {
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
    against_a_map::<Large>(0x5eed_0007, 5000, STEPS);
}
