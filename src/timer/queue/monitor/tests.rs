//! Arming, and waits that go on one step at a time.

use super::*;
use crate::timer::queue::{Due, Small};
use core::cell::{Cell, RefCell};
use std::vec::Vec;

const EXACT: Option<Duration> = Some(Duration::ZERO);

unsafe extern "C" fn nothing(_context: *const (), _expires: Instant) {}

/// The queue of a monitor that has one.
fn all<M: Monitor, R>(monitor: &M, f: impl FnOnce(&mut Queue<M::Size>) -> R) -> R {
    // SAFETY: the tests keep it in order.
    unsafe { monitor.with(0, f) }
}

/// A queue, and how often its alarm was to be set.
struct Local(RefCell<Queue<Small>>, Cell<usize>);

impl Local {
    fn new() -> Self {
        Local(RefCell::new(Queue::new()), Cell::new(0))
    }
}

// SAFETY: single-threaded, and nothing here re-enters.
unsafe impl Monitor for Local {
    type Size = Small;
    unsafe fn with<R>(&self, _: usize, f: impl FnOnce(&mut Queue<Self::Size>) -> R) -> R {
        f(&mut self.0.borrow_mut())
    }
    unsafe fn wait<R>(
        &self,
        _: usize,
        mut f: impl FnMut(&mut Queue<Self::Size>) -> Option<R>,
        _stalled: &dyn Fn(),
    ) -> R {
        all(self, &mut f).expect("nothing to wait for in a single thread")
    }
    fn alarm(&self, _: usize) {
        self.1.set(self.1.get() + 1);
    }
}

fn nodes(n: usize) -> Vec<QueueNode> {
    (0..n)
        .map(|i| QueueNode::new(nothing, i as *const ()))
        .collect()
}

fn drain(queue: &Local) -> Vec<(usize, u64)> {
    let mut seen = Vec::new();
    while let Due::Call(call) = all(queue, |queue| queue.take_due(Instant::MAX)) {
        seen.push((call.context as usize, call.expires().as_nanos()));
        all(queue, Queue::finished);
    }
    seen
}

#[test]
fn expiry_is_in_order_and_ties_in_order_of_start() {
    let queue = Local::new();
    let nodes = nodes(6);
    for (i, at) in [(0, 50), (1, 10), (2, 50), (3, 0), (4, u64::MAX), (5, 10)] {
        let node = NonNull::from(&nodes[i]);
        let before = queue.1.get();
        // SAFETY: the nodes outlive the queue's use.
        let armed = unsafe { arm(&queue, node, Instant::from_nanos(at), EXACT, Arm::Replace) };
        assert_eq!(armed, Ok(()));
        // The first of all are told.
        assert_eq!(queue.1.get() > before, matches!(i, 0 | 1 | 3));
    }
    // SAFETY: as above.
    unsafe {
        assert_eq!(
            try_cancel(&queue, NonNull::from(&nodes[1])),
            TryCancel::Cancelled
        );
        assert_eq!(
            try_cancel(&queue, NonNull::from(&nodes[1])),
            TryCancel::Idle
        );
    }
    assert_eq!(
        drain(&queue),
        [(3, 0), (5, 10), (0, 50), (2, 50), (4, u64::MAX)]
    );
}

#[test]
fn arming_again_replaces_or_leaves() {
    let queue = Local::new();
    let nodes = nodes(1);
    let node = NonNull::from(&nodes[0]);
    // SAFETY: the node outlives the queue's use.
    unsafe {
        let at = Instant::from_nanos;
        arm(&queue, node, at(50), EXACT, Arm::IfIdle).unwrap();
        arm(&queue, node, at(10), EXACT, Arm::IfIdle).unwrap();
        assert_eq!(state(&queue, node).expires, Some(at(50)));
        arm(&queue, node, at(20), EXACT, Arm::Replace).unwrap();
        assert_eq!(drain(&queue), [(0, 20)]);
        arm(&queue, node, at(30), EXACT, Arm::Replace).unwrap();
        assert!(shut(&queue, node, &|| {}).armed);
        assert_eq!(
            arm(&queue, node, at(40), EXACT, Arm::Replace),
            Err(Error::Closed)
        );
    }
    assert_eq!(drain(&queue), []);
}

/// A queue whose waiters go on one at a time: each wait runs its closure, lets the rest of the world do one thing, and runs it
/// again.
struct Steps<'a> {
    queue: RefCell<Queue<Small>>,
    /// What happens during each wait; the last is done first.
    meanwhile: RefCell<Vec<Step<'a>>>,
}
type Step<'a> = &'a dyn Fn(&Steps<'a>);

// SAFETY: single-threaded; the queue is borrowed for a closure at a time.
unsafe impl Monitor for Steps<'_> {
    type Size = Small;
    unsafe fn with<R>(&self, _: usize, f: impl FnOnce(&mut Queue<Self::Size>) -> R) -> R {
        f(&mut self.queue.borrow_mut())
    }
    unsafe fn wait<R>(
        &self,
        _: usize,
        mut f: impl FnMut(&mut Queue<Self::Size>) -> Option<R>,
        _stalled: &dyn Fn(),
    ) -> R {
        loop {
            if let Some(result) = all(self, &mut f) {
                return result;
            }
            let next = self.meanwhile.borrow_mut().pop();
            next.expect("something to wait for")(self);
        }
    }
    fn alarm(&self, _: usize) {}
}

#[test]
fn a_start_while_two_cancel_is_undone_until_both_are_done() {
    let nodes = nodes(1);
    let node = NonNull::from(&nodes[0]);
    let at = Instant::from_nanos;
    // The first cancel waits; meanwhile a second begins, and waits; then the entry ends, which the second sees first.
    let finish = |queue: &Steps<'_>| all(queue, Queue::finished);
    let cancel_and_start = |queue: &Steps<'_>| {
        // SAFETY: the node outlives the queue's use.
        unsafe {
            assert!(cancel(queue, node, &|| {}));
            arm(queue, node, at(20), EXACT, Arm::Replace).unwrap();
            assert!(!state(queue, node).armed);
        }
    };
    let queue = Steps {
        queue: RefCell::new(Queue::new()),
        meanwhile: RefCell::new(Vec::from([&finish as Step<'_>, &cancel_and_start])),
    };
    // SAFETY: as above.
    unsafe {
        arm(&queue, node, at(10), EXACT, Arm::Replace).unwrap();
        let due = all(&queue, |queue| queue.take_due(at(10)));
        assert!(matches!(due, Due::Call(_)));
        assert!(cancel(&queue, node, &|| {}));
        assert!(!state(&queue, node).armed);
        arm(&queue, node, at(30), EXACT, Arm::Replace).unwrap();
        assert!(state(&queue, node).armed);
    }
}

#[test]
fn a_monitor_has_no_work_unless_it_says_so() {
    let queue = Local::new();
    let refused = QueueNode::on(&queue, TimerMode::work(), nothing, ptr::null());
    assert_eq!(refused.map(drop), Err(Error::Unsupported));
}
