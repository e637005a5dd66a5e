//! The timers of runtimes, and those of Linux.

use std::cell::UnsafeCell;
use std::future::{poll_fn, Future as _};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use driver_scope_benches::timerfd::{monotonic, settime, timerfd};
use tokio::runtime::{Builder, Runtime};
use tokio_util::time::{delay_queue, DelayQueue};

use super::subject::{Container, Timers};

/// What lies in real time lies so far ahead that nothing expires while it is measured.
const AHEAD: Duration = Duration::from_secs(3600);

/// A timer that only the thread that it belongs to uses.
struct Own<T>(UnsafeCell<Option<T>>);

// SAFETY: the bench gives each timer to one thread at a time.
unsafe impl<T: Send> Sync for Own<T> {}

impl<T> Own<T> {
    fn list(timers: usize) -> Box<[Self]> {
        (0..timers).map(|_| Own(UnsafeCell::new(None))).collect()
    }

    /// # Safety
    /// The calling thread alone uses this timer.
    #[allow(clippy::mut_from_ref)]
    #[inline(always)]
    unsafe fn get(&self) -> &mut Option<T> {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.0.get() }
    }
}

fn paused() -> (Runtime, tokio::time::Instant) {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O can be made");
    let base = runtime.block_on(async { tokio::time::Instant::now() });
    (runtime, base)
}

/// tokio's wheel, through `Sleep`s in place: made, polled once and dropped; reset and polled. Its clock is paused.
pub struct TokioSleep {
    // Before the runtime, which they are registered with.
    timers: Box<[Own<tokio::time::Sleep>]>,
    runtime: Runtime,
    base: tokio::time::Instant,
}

impl TokioSleep {
    pub fn new(timers: usize) -> Self {
        let (runtime, base) = paused();
        TokioSleep {
            timers: Own::list(timers),
            runtime,
            base,
        }
    }

    #[inline(always)]
    fn poll(timer: Pin<&mut tokio::time::Sleep>) {
        let polled = timer.poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    }
}

impl Timers for TokioSleep {
    fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        let _guard = self.runtime.enter();
        f()
    }
    #[inline(always)]
    fn start(&self, timer: usize, at: u64) {
        let at = self.base + Duration::from_nanos(at);
        // SAFETY: (here and below) this thread's own.
        let sleep = unsafe { self.timers[timer].get() };
        let sleep = sleep.insert(tokio::time::sleep_until(at));
        // SAFETY: (here and below) they stay where they are until they are dropped, in place.
        Self::poll(unsafe { Pin::new_unchecked(sleep) });
    }
    #[inline(always)]
    fn cancel(&self, timer: usize) {
        // SAFETY: see `start`.
        *unsafe { self.timers[timer].get() } = None;
    }
    #[inline(always)]
    fn restart(&self, timer: usize, at: u64) {
        let at = self.base + Duration::from_nanos(at);
        // SAFETY: see `start`.
        let sleep = unsafe { self.timers[timer].get() }.as_mut();
        // SAFETY: see `start`.
        let mut sleep = unsafe { Pin::new_unchecked(sleep.expect("it is pending")) };
        sleep.as_mut().reset(at);
        Self::poll(sleep);
    }
    fn fire(&self) -> (usize, u64) {
        unreachable!("`DelayQueue` does")
    }
    fn next(&self) -> u64 {
        unreachable!("it does not tell")
    }
}

/// tokio-util's `DelayQueue`: the same wheel, as a container. Its clock is paused, and goes on when nothing is due.
pub struct TokioQueue {
    queue: DelayQueue<usize>,
    keys: Box<[Option<delay_queue::Key>]>,
    runtime: std::sync::Arc<Runtime>,
    base: tokio::time::Instant,
}

impl TokioQueue {
    pub fn new(timers: usize) -> Self {
        let (runtime, base) = paused();
        TokioQueue {
            queue: DelayQueue::new(),
            keys: (0..timers).map(|_| None).collect(),
            runtime: runtime.into(),
            base,
        }
    }

    fn key(&self, timer: usize) -> delay_queue::Key {
        self.keys[timer].expect("it is pending")
    }
}

impl Container for TokioQueue {
    fn within<R>(of: &Mutex<Self>, f: impl FnOnce() -> R) -> R {
        let runtime = {
            let queue = of.lock().unwrap_or_else(PoisonError::into_inner);
            std::sync::Arc::clone(&queue.runtime)
        };
        let _guard = runtime.enter();
        f()
    }
    #[inline]
    fn start(&mut self, timer: usize, at: u64) {
        let at = self.base + Duration::from_nanos(at);
        self.keys[timer] = Some(self.queue.insert_at(timer, at));
    }
    #[inline]
    fn cancel(&mut self, timer: usize) {
        self.queue.remove(&self.key(timer));
    }
    #[inline]
    fn restart(&mut self, timer: usize, at: u64) {
        let at = self.base + Duration::from_nanos(at);
        self.queue.reset_at(&self.key(timer), at);
    }
    #[inline]
    fn fire(&mut self) -> (usize, u64) {
        let next = poll_fn(|cx| self.queue.poll_expired(cx));
        let expired = self.runtime.block_on(next);
        let expired = expired.expect("something is pending");
        let at = expired.deadline() - self.base;
        (expired.into_inner(), at.as_nanos() as u64)
    }
    #[inline]
    fn next(&mut self) -> u64 {
        let Some(key) = self.queue.peek() else {
            return u64::MAX;
        };
        (self.queue.deadline(&key) - self.base).as_nanos() as u64
    }
}

/// async-io's `Timer`: made, polled once and dropped; set and polled. In real time, far ahead.
pub struct AsyncIo {
    timers: Box<[Own<async_io::Timer>]>,
    base: Instant,
}

impl AsyncIo {
    pub fn new(timers: usize) -> Self {
        AsyncIo {
            timers: Own::list(timers),
            base: Instant::now() + AHEAD,
        }
    }

    #[inline(always)]
    fn poll(timer: &mut async_io::Timer) {
        let polled = Pin::new(timer).poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    }
}

impl Timers for AsyncIo {
    #[inline(always)]
    fn start(&self, timer: usize, at: u64) {
        let at = self.base + Duration::from_nanos(at);
        // SAFETY: (here and below) this thread's own.
        let timer = unsafe { self.timers[timer].get() };
        Self::poll(timer.insert(async_io::Timer::at(at)));
    }
    #[inline(always)]
    fn cancel(&self, timer: usize) {
        // SAFETY: see `start`.
        *unsafe { self.timers[timer].get() } = None;
    }
    #[inline(always)]
    fn restart(&self, timer: usize, at: u64) {
        let at = self.base + Duration::from_nanos(at);
        // SAFETY: see `start`.
        let timer = unsafe { self.timers[timer].get() };
        let timer = timer.as_mut().expect("it is pending");
        timer.set_at(at);
        Self::poll(timer);
    }
    fn fire(&self) -> (usize, u64) {
        unreachable!("its time is the real one")
    }
    fn next(&self) -> u64 {
        unreachable!("it does not tell")
    }
}

/// One `timerfd` for each timer, a system call for each operation. In real time, far ahead.
pub struct TimerFd {
    timers: Box<[libc::c_int]>,
    base: u64,
}

/// Timers that there are file descriptors for.
pub fn descriptors() -> usize {
    // SAFETY: a plain struct, filled in by the call.
    let limit = unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        limit.rlim_cur
    };
    // Some are for other things.
    (limit as usize).saturating_sub(200)
}

impl TimerFd {
    pub fn new(timers: usize) -> Self {
        TimerFd {
            timers: (0..timers)
                .map(|_| timerfd().expect("there are enough descriptors"))
                .collect(),
            base: monotonic() + AHEAD.as_nanos() as u64,
        }
    }
}

impl Drop for TimerFd {
    fn drop(&mut self) {
        for &timer in &self.timers {
            // SAFETY: ours, and not used any more.
            unsafe { libc::close(timer) };
        }
    }
}

impl Timers for TimerFd {
    #[inline(always)]
    fn start(&self, timer: usize, at: u64) {
        settime(self.timers[timer], self.base + at);
    }
    #[inline(always)]
    fn cancel(&self, timer: usize) {
        settime(self.timers[timer], 0);
    }
    #[inline(always)]
    fn restart(&self, timer: usize, at: u64) {
        self.start(timer, at);
    }
    fn fire(&self) -> (usize, u64) {
        unreachable!("its time is the real one")
    }
    fn next(&self) -> u64 {
        unreachable!("it does not tell")
    }
}
