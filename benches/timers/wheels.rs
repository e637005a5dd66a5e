//! Other crates' wheels and lists, as containers.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{RawWaker, RawWakerVTable, Waker};
use std::time::{Duration, Instant};

use embassy_executor_timer_queue::TimerQueueItem;
use embassy_time_queue_utils::queue_integrated;
use hierarchical_hash_wheel_timer::wheels::cancellable::QuadWheelWithOverflow;
use hierarchical_hash_wheel_timer::wheels::Skip;
use hierarchical_hash_wheel_timer::IdOnlyTimerEntry;
use nexus_timer::{TimerHandle, Wheel};

use super::subject::Container;

const TICK: u64 = 1_000_000;

/// nexus-timer, as it comes: ticks of a millisecond.
pub struct Nexus {
    wheel: Wheel<usize>,
    handles: Box<[Option<TimerHandle<usize>>]>,
    base: Instant,
    now: u64,
    /// What a tick has brought, not yet taken.
    due: Vec<usize>,
}

// SAFETY: the handles are counted without atomics, but wheel and handles are in one place, and so never on two threads at once.
unsafe impl Send for Nexus {}

impl Nexus {
    pub fn new(timers: usize) -> Self {
        let base = Instant::now();
        Nexus {
            wheel: Wheel::unbounded(4096, base),
            handles: (0..timers).map(|_| None).collect(),
            base,
            now: 0,
            due: Vec::new(),
        }
    }

    fn instant(&self, at: u64) -> Instant {
        self.base + Duration::from_nanos(at)
    }

    fn handle(&mut self, timer: usize) -> TimerHandle<usize> {
        self.handles[timer].take().expect("it is pending")
    }
}

impl Drop for Nexus {
    fn drop(&mut self) {
        // A handle may not just be dropped.
        for handle in self.handles.iter_mut().filter_map(Option::take) {
            self.wheel.free(handle);
        }
    }
}

impl Container for Nexus {
    #[inline]
    fn start(&mut self, timer: usize, at: u64) {
        let handle = self.wheel.schedule(self.instant(at), timer);
        self.handles[timer] = Some(handle);
    }
    #[inline]
    fn cancel(&mut self, timer: usize) {
        let handle = self.handle(timer);
        self.wheel.cancel(handle);
    }
    #[inline]
    fn restart(&mut self, timer: usize, at: u64) {
        let handle = self.handle(timer);
        // One that has come due is with us already.
        self.handles[timer] = Some(if self.due.contains(&timer) {
            self.due.retain(|&due| due != timer);
            self.wheel.free(handle);
            self.wheel.schedule(self.instant(at), timer)
        } else {
            self.wheel.reschedule(handle, self.instant(at))
        });
    }
    #[inline]
    fn fire(&mut self) -> (usize, u64) {
        while self.due.is_empty() {
            let next = self.wheel.next_deadline().expect("something is pending");
            // What it says may be too early, by something cancelled; then tick by tick.
            self.now = (self.now + TICK).max((next - self.base).as_nanos() as u64);
            self.wheel
                .poll_and_rebalance(self.instant(self.now), &mut self.due);
        }
        let timer = self.due.pop().expect("just seen");
        let handle = self.handle(timer);
        self.wheel.free(handle);
        (timer, self.now)
    }
    #[inline]
    fn next(&mut self) -> u64 {
        let next = self.wheel.next_deadline();
        next.map_or(u64::MAX, |next| (next - self.base).as_nanos() as u64)
    }
}

/// hierarchical_hash_wheel_timer: four wheels of 256 milliseconds, seconds and so on; cancelled timers stay in them until their time.
pub struct HashWheel {
    wheel: QuadWheelWithOverflow<IdOnlyTimerEntry<usize>>,
    tick: u64,
    due: VecDeque<Rc<IdOnlyTimerEntry<usize>>>,
}

// SAFETY: its counts are not atomic, but all that are counted are in one place, and so never on two threads at once.
unsafe impl Send for HashWheel {}

impl HashWheel {
    pub fn new(_timers: usize) -> Self {
        HashWheel {
            wheel: QuadWheelWithOverflow::new(),
            tick: 0,
            due: VecDeque::new(),
        }
    }
}

impl Container for HashWheel {
    #[inline]
    fn start(&mut self, id: usize, at: u64) {
        // A delay of zero is refused.
        let ticks = at.div_ceil(TICK).saturating_sub(self.tick).max(1);
        let delay = Duration::from_millis(ticks);
        let started = self.wheel.insert(IdOnlyTimerEntry { id, delay });
        started.unwrap_or_else(|_| panic!("a delay of {delay:?} is none"));
    }
    #[inline]
    fn cancel(&mut self, timer: usize) {
        if self.wheel.cancel(&timer).is_err() {
            self.due.retain(|due| due.id != timer);
        }
    }
    #[inline]
    fn fire(&mut self) -> (usize, u64) {
        while self.due.is_empty() {
            if let Skip::Millis(ticks) = self.wheel.can_skip() {
                self.wheel.skip(ticks);
                self.tick += u64::from(ticks);
            }
            self.tick += 1;
            self.due.extend(self.wheel.tick());
        }
        let due = self.due.pop_front().expect("just seen");
        (due.id, self.tick * TICK)
    }
    #[inline]
    fn next(&mut self) -> u64 {
        let ticks = match self.wheel.can_skip() {
            Skip::Millis(ticks) => u64::from(ticks) + 1,
            Skip::None => 1,
            Skip::Empty => return u64::MAX,
        };
        (self.tick + ticks) * TICK
    }
}

/// embassy-time-queue-utils, the integrated queue: a list in no order. A task cannot cancel, nor start for a later time than it has.
pub struct Embassy {
    queue: queue_integrated::Queue,
    items: Box<[TimerQueueItem]>,
}

thread_local! {
    static WOKEN: std::cell::RefCell<VecDeque<usize>> = const { std::cell::RefCell::new(VecDeque::new()) };
}

/// A waker that notes its number.
fn waker(timer: usize) -> Waker {
    static TABLE: RawWakerVTable =
        RawWakerVTable::new(|timer| RawWaker::new(timer, &TABLE), wake, wake, |_| {});
    fn wake(timer: *const ()) {
        WOKEN.with_borrow_mut(|woken| woken.push_back(timer as usize));
    }
    // SAFETY: a number, which is copied, dropped and shared at will.
    unsafe { Waker::from_raw(RawWaker::new(timer as *const (), &TABLE)) }
}

// The executor's part of the crate, which a queue of items alone does not come to.
#[no_mangle]
extern "Rust" fn __embassy_time_queue_item_from_waker(
    _waker: &Waker,
) -> &'static mut TimerQueueItem {
    unreachable!("no task has a timer here")
}

impl Embassy {
    pub fn new(timers: usize) -> Self {
        WOKEN.with_borrow_mut(VecDeque::clear);
        Embassy {
            queue: queue_integrated::Queue::new(),
            items: (0..timers).map(|_| TimerQueueItem::new()).collect(),
        }
    }
}

impl Container for Embassy {
    #[inline]
    fn start(&mut self, timer: usize, at: u64) {
        self.queue
            .schedule_wake_queue_item(at, &mut self.items[timer], &waker(timer));
    }
    fn cancel(&mut self, _timer: usize) {
        unreachable!("it cannot cancel")
    }
    #[inline]
    fn fire(&mut self) -> (usize, u64) {
        static NOW: AtomicUsize = AtomicUsize::new(0);
        loop {
            if let Some(timer) = WOKEN.with_borrow_mut(VecDeque::pop_front) {
                return (timer, NOW.load(Ordering::Relaxed) as u64);
            }
            let now = self.queue.next_expiration(0);
            NOW.store(now as usize, Ordering::Relaxed);
            self.queue.next_expiration(now);
        }
    }
    #[inline]
    fn next(&mut self) -> u64 {
        self.queue.next_expiration(0)
    }
}
