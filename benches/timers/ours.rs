//! Our queue, as a platform has it: a monitor that is a mutex around it.

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use driver_scope::platform::{Arm, Timers as _};
use driver_scope::timer::queue::{Due, Monitor, Queue, QueueNode, Size};
use driver_scope::{Error, Instant, TimerMode};

use super::subject::Timers;

/// A queue behind its lock, with the present beside it: the clock of a fire goes on, and never back.
#[repr(align(128))]
struct Lock<S: Size>(Mutex<Queue<S>>, AtomicU64);

/// So many queues. What a thread starts goes to its own; with one, that is always the same.
struct Locks<S: Size, const N: usize>([Lock<S>; N]);

// SAFETY: all access is under the mutex. The entries are called under it, too, which is as good: they only store a number.
unsafe impl<S: Size, const N: usize> Monitor for Locks<S, N> {
    type Size = S;
    #[inline(always)]
    fn here(&self, _mode: TimerMode) -> Result<usize, Error> {
        Ok(if N == 1 { 0 } else { HERE.get() % N })
    }
    #[inline(always)]
    unsafe fn with<R>(&self, queue: usize, f: impl FnOnce(&mut Queue<S>) -> R) -> R {
        f(&mut self.0[queue % N]
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner))
    }
    unsafe fn wait<R>(
        &self,
        queue: usize,
        mut f: impl FnMut(&mut Queue<S>) -> Option<R>,
        _stalled: &dyn Fn(),
    ) -> R {
        loop {
            // SAFETY: the caller's promise.
            if let Some(result) = unsafe { self.with(queue, &mut f) } {
                return result;
            }
        }
    }
    fn alarm(&self, _queue: usize) {}
}

thread_local! {
    static FIRED: Cell<usize> = const { Cell::new(0) };
    /// Which thread it is, of those that are measured.
    static HERE: Cell<usize> = const { Cell::new(0) };
}

unsafe extern "C" fn entry(context: *const (), _expires: Instant) {
    FIRED.set(context as usize);
}

pub struct Ours<S: Size, const N: usize = 1> {
    // Before the nodes, since it points to them.
    lock: Locks<S, N>,
    nodes: Box<[QueueNode]>,
}

impl<S: Size, const N: usize> Ours<S, N> {
    pub fn new(timers: usize) -> Self {
        Ours {
            lock: Locks([const { Lock(Mutex::new(Queue::new()), AtomicU64::new(0)) }; N]),
            nodes: (0..timers)
                .map(|timer| QueueNode::new(entry, timer as *const ()))
                .collect(),
        }
    }

    /// The size of a queue without timers.
    pub const FIXED: usize = size_of::<Mutex<Queue<S>>>() * N;

    #[inline(always)]
    fn node(&self, timer: usize) -> NonNull<QueueNode> {
        NonNull::from(&self.nodes[timer])
    }
}

impl<S: Size, const N: usize> Timers for Ours<S, N> {
    fn begin(&self, thread: usize) {
        HERE.set(thread);
    }
    #[inline(always)]
    fn start(&self, timer: usize, at: u64) {
        let at = Instant::from_nanos(at);
        // SAFETY: (here and below) a node of this queue, which is where it is and lives as long.
        unsafe { self.lock.arm(self.node(timer), at, None, Arm::Replace) }.expect("never shut");
    }
    #[inline(always)]
    fn cancel(&self, timer: usize) {
        // SAFETY: see `start`.
        unsafe { self.lock.try_cancel(self.node(timer)) };
    }
    #[inline(always)]
    fn restart(&self, timer: usize, at: u64) {
        self.start(timer, at);
    }
    #[inline(always)]
    fn fire(&self) -> (usize, u64) {
        // SAFETY: what is taken out is called, and then has finished.
        unsafe {
            self.lock.with(0, |queue| {
                // Relaxed: under the lock.
                let mut now = Instant::from_nanos(self.lock.0[0].1.load(Ordering::Relaxed));
                loop {
                    match queue.take_due(now) {
                        Due::Call(call) => {
                            let at = call.expires().as_nanos();
                            self.lock.0[0].1.store(now.as_nanos(), Ordering::Relaxed);
                            call.make();
                            queue.finished();
                            return (FIRED.get(), at);
                        }
                        Due::At(at) => now = at,
                        Due::Never => panic!("nothing is pending"),
                    }
                }
            })
        }
    }
    #[inline(always)]
    fn next(&self) -> u64 {
        // SAFETY: nothing is changed.
        unsafe {
            self.lock.with(0, |queue| {
                queue.next_expiry().map_or(u64::MAX, Instant::as_nanos)
            })
        }
    }
}
