//! Timers that are futures, all of them in one task.

use std::future::{poll_fn, Future};
use std::pin::{pin, Pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::contestants::{since, Load};

/// A future that is ready at an instant.
trait Alarm: Future + Unpin {
    fn at(at: Instant) -> Self;
    fn again(&mut self, at: Instant);
}

impl Alarm for async_io::Timer {
    fn at(at: Instant) -> Self {
        async_io::Timer::at(at)
    }
    fn again(&mut self, at: Instant) {
        self.set_at(at);
    }
}

/// What it is told is how long from now.
impl Alarm for futures_timer::Delay {
    fn at(at: Instant) -> Self {
        futures_timer::Delay::new(at.saturating_duration_since(Instant::now()))
    }
    fn again(&mut self, at: Instant) {
        self.reset(at.saturating_duration_since(Instant::now()));
    }
}

/// One timer's part of a task that is all of them.
struct Part {
    woken: AtomicBool,
    task: Waker,
}

impl Wake for Part {
    fn wake(self: Arc<Self>) {
        // Release: pairs with the Acquire of the task, which then polls what was made ready.
        self.woken.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

/// The task. It looks at its end whenever a timer fires.
async fn task<A: Alarm>(load: Load, length: Duration) -> Vec<f64> {
    let mut late = Vec::new();
    let begin = Instant::now();
    let mut next: Vec<Instant> = (0..load.timers)
        .map(|timer| begin + load.period(timer))
        .collect();
    let mut timers: Vec<A> = next.iter().map(|&at| A::at(at)).collect();
    let mut parts: Vec<Arc<Part>> = Vec::new();
    poll_fn(|cx| {
        if parts.is_empty() {
            parts.extend((0..load.timers).map(|_| {
                Arc::new(Part {
                    woken: AtomicBool::new(true),
                    task: cx.waker().clone(),
                })
            }));
        }
        for (number, part) in parts.iter().enumerate() {
            // Acquire: pairs with the Release in `wake`.
            if !part.woken.swap(false, Ordering::Acquire) {
                continue;
            }
            let waker = Waker::from(Arc::clone(part));
            let mut cx = Context::from_waker(&waker);
            while Pin::new(&mut timers[number]).poll(&mut cx).is_ready() {
                late.push(since(next[number]));
                next[number] += load.period(number as u64);
                timers[number].again(next[number]);
            }
        }
        if begin.elapsed() < length {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    late
}

/// The thread that blocks drives the reactor itself, which is the shortest way.
pub fn async_io(load: Load, length: Duration) -> Vec<f64> {
    async_io::block_on(task::<async_io::Timer>(load, length))
}

/// The crate has a thread of its own; ours is parked meanwhile.
pub fn futures_timer(load: Load, length: Duration) -> Vec<f64> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut task = pin!(task::<futures_timer::Delay>(load, length));
    loop {
        match task.as_mut().poll(&mut cx) {
            Poll::Ready(late) => return late,
            Poll::Pending => thread::park(),
        }
    }
}
