//! The library: timers as C would have them. It knows nothing of this crate.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Called when a timer expires.
pub type Function = unsafe extern "C" fn(timer: *mut Hrtimer, expires: u64);

/// A timer. Everything in it is the library's, under the lock of its base.
#[repr(C)]
pub struct Hrtimer {
    /// Its own address: a timer that was moved, or never initialised, is found out.
    this: *mut Hrtimer,
    base: *const Base,
    function: Function,
    queued: bool,
    started: bool,
    expires: u64,
    /// How much later it may expire.
    delta: u64,
    /// How many wait in [`hrtimer_cancel`].
    cancelling: usize,
}

/// What timers hang on.
pub struct Base {
    begin: Instant,
    state: Mutex<State>,
    alarm: Condvar,
    ended: Condvar,
}

struct State {
    queue: Vec<(u64, *mut Hrtimer)>,
    /// Addresses to compare, as often as their functions run.
    running: Vec<*mut Hrtimer>,
    most_at_once: usize,
    stop: bool,
}

// SAFETY: timers in the queue are valid and accessed under the lock.
unsafe impl Send for State {}

impl State {
    fn is_running(&self, timer: *mut Hrtimer) -> bool {
        self.running.contains(&timer)
    }

    /// Puts a timer on the queue, behind those for the same time.
    unsafe fn enqueue(&mut self, timer: *mut Hrtimer, at: u64, delta: u64) {
        // SAFETY: valid, and under the lock.
        unsafe {
            (*timer).expires = at;
            (*timer).queued = true;
        }
        let last = at.saturating_add(delta);
        let place = self.queue.partition_point(|&(other, _)| other <= last);
        self.queue.insert(place, (last, timer));
    }

    /// Takes a timer off the queue; says whether it was there.
    unsafe fn dequeue(&mut self, timer: *mut Hrtimer) -> bool {
        self.queue.retain(|&(_, queued)| queued != timer);
        // SAFETY: valid, and under the lock.
        unsafe { core::mem::replace(&mut (*timer).queued, false) }
    }
}

/// A base with so many processors, each a thread that calls what is due. Its time is counted from `begin`.
pub fn base(processors: usize, begin: Instant) -> Arc<Base> {
    let base = Arc::new(Base {
        begin,
        state: Mutex::new(State {
            queue: Vec::new(),
            running: Vec::new(),
            most_at_once: 0,
            stop: false,
        }),
        alarm: Condvar::new(),
        ended: Condvar::new(),
    });
    for _ in 0..processors {
        let base = Arc::clone(&base);
        std::thread::spawn(move || base.processor());
    }
    base
}

impl Base {
    /// Nanoseconds since the base was made.
    pub fn now(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64
    }

    /// How often at most the function of one timer ran at the same time.
    pub fn most_at_once(&self) -> usize {
        self.state.lock().unwrap().most_at_once
    }

    /// Ends its threads.
    pub fn stop(&self) {
        self.state.lock().unwrap().stop = true;
        self.alarm.notify_all();
    }

    fn processor(&self) {
        super::CALLBACK.set(true);
        let mut state = self.state.lock().unwrap();
        while !state.stop {
            let now = self.now();
            match state.queue.first().copied() {
                Some((at, timer)) if at <= now => {
                    state.queue.remove(0);
                    // SAFETY: in the queue, so valid; under the lock.
                    let (function, expires) = unsafe {
                        (*timer).queued = false;
                        ((*timer).function, (*timer).expires)
                    };
                    state.running.push(timer);
                    let at_once = state.running.iter().filter(|&&t| t == timer).count();
                    state.most_at_once = state.most_at_once.max(at_once);
                    drop(state);
                    // SAFETY: noted as running, so a cancel waits.
                    unsafe { function(timer, expires) };
                    // From here on only the address is used.
                    state = self.state.lock().unwrap();
                    let place = state.running.iter().position(|&t| t == timer);
                    state.running.swap_remove(place.unwrap());
                    self.ended.notify_all();
                }
                Some((at, _)) => {
                    let wait = Duration::from_nanos(at - now);
                    state = self.alarm.wait_timeout(state, wait).unwrap().0;
                }
                None => state = self.alarm.wait(state).unwrap(),
            }
        }
    }
}

/// The base of a timer, locked; checks that the timer is one, and where it was initialised.
unsafe fn lock<'a>(timer: *mut Hrtimer) -> (&'a Base, MutexGuard<'a, State>) {
    // SAFETY: initialised, says the caller, and `this` and `base` are never written again. The base outlives its timers.
    unsafe {
        assert_eq!(
            (*timer).this,
            timer,
            "a timer was moved, or not initialised"
        );
        let base = &*(*timer).base;
        (base, base.state.lock().unwrap())
    }
}

/// Makes a timer in place.
///
/// # Safety
/// `timer` is memory for one, which stays where it is; `base` outlives it.
pub unsafe fn hrtimer_init(timer: *mut Hrtimer, base: *const Base, function: Function) {
    // SAFETY: the caller's promise.
    unsafe {
        timer.write(Hrtimer {
            this: timer,
            base,
            function,
            queued: false,
            started: false,
            expires: 0,
            delta: 0,
            cancelling: 0,
        });
    }
}

/// Queues a timer, or moves it in the queue. It expires at `at` or up to `delta` later: here, as late as it may.
///
/// # Safety
/// `timer` is initialised, here and below, and is cancelled before its memory goes.
pub unsafe fn hrtimer_start_range_ns(timer: *mut Hrtimer, at: u64, delta: u64) {
    // SAFETY: the caller's promise.
    let (base, mut state) = unsafe { lock(timer) };
    // SAFETY: valid, and under the lock.
    unsafe {
        state.dequeue(timer);
        (*timer).expires = at;
        (*timer).delta = delta;
        (*timer).started = true;
        if (*timer).cancelling > 0 {
            // As if the start had come just before the cancel.
            return;
        }
        state.enqueue(timer, at, delta);
    }
    drop(state);
    base.alarm.notify_all();
}

/// 1: was queued and no longer is; 0: was not; -1: its function runs (and it no longer is queued).
///
/// # Safety
/// As above.
pub unsafe fn hrtimer_try_to_cancel(timer: *mut Hrtimer) -> i32 {
    // SAFETY: the caller's promise.
    let (_, mut state) = unsafe { lock(timer) };
    // SAFETY: valid, and under the lock.
    let queued = unsafe { state.dequeue(timer) };
    if state.is_running(timer) {
        -1
    } else {
        i32::from(queued)
    }
}

/// 1: was queued or running and no longer is; 0: was neither.
///
/// # Safety
/// As above; not called by the timer's own function.
pub unsafe fn hrtimer_cancel(timer: *mut Hrtimer) -> i32 {
    // SAFETY: the caller's promise.
    let (base, mut state) = unsafe { lock(timer) };
    // SAFETY: valid, and under the lock, throughout.
    unsafe {
        let mut active = state.dequeue(timer);
        (*timer).cancelling += 1;
        while state.is_running(timer) {
            active = true;
            state = base.ended.wait(state).unwrap();
        }
        (*timer).cancelling -= 1;
        i32::from(active)
    }
}

/// Has a timer expire at once that is queued, and waits until its function has returned that is called for it, or that runs. 1: it was queued or running; 0: it was
/// neither.
///
/// # Safety
/// As above; not called by a function of this base, which has one processor.
pub unsafe fn hrtimer_flush(timer: *mut Hrtimer) -> i32 {
    unsafe extern "C" fn nothing(_timer: *mut Hrtimer, _expires: u64) {}
    // SAFETY: the caller's promise.
    let (base, mut state) = unsafe { lock(timer) };
    let mut behind = core::mem::MaybeUninit::uninit();
    let behind = behind.as_mut_ptr();
    // SAFETY: both valid, and under the lock, throughout. `behind` is off the queue, and its function has returned, at the end.
    unsafe {
        hrtimer_init(behind, base, nothing);
        let mut at = 0;
        if let Some(queued) = state.queue.iter().find(|&&(_, t)| t == timer) {
            at = queued.0.min(base.now());
            if queued.0 > at {
                state.dequeue(timer);
                state.enqueue(timer, at, 0);
            }
        } else if !state.is_running(timer) {
            return 0;
        }
        state.enqueue(behind, at, 0);
        base.alarm.notify_all();
        while (*behind).queued || state.is_running(behind) {
            state = base.ended.wait(state).unwrap();
        }
    }
    1
}

/// How much later than its expiry it may expire, as it was last started.
///
/// # Safety
/// As above.
pub unsafe fn hrtimer_delta(timer: *mut Hrtimer) -> u64 {
    // SAFETY: the caller's promise.
    let (_, _state) = unsafe { lock(timer) };
    // SAFETY: valid, and under the lock.
    unsafe { (*timer).delta }
}

/// Whether it is queued, whether its function runs, and when it was last started for.
///
/// # Safety
/// As above.
pub unsafe fn hrtimer_look(timer: *mut Hrtimer) -> (bool, bool, Option<u64>) {
    // SAFETY: the caller's promise.
    let (_, state) = unsafe { lock(timer) };
    let running = state.is_running(timer);
    // SAFETY: valid, and under the lock.
    unsafe {
        let expires = (*timer).started.then_some((*timer).expires);
        ((*timer).queued, running, expires)
    }
}
