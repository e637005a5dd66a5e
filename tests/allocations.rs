//! Once all is registered, timers and sleeps ask nobody for memory: neither who starts and cancels them, nor the threads that call them back.
//!
//! There is no warm-up. Only what the standard library asks for while a thread begins is waited for: the threads of a platform are made with it, or with the
//! first timer of a mode.
//!
//! That a callback which makes a `Vec` is counted is part of the test.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::{self, Write};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use common::{rounds, until, wait_until, TestPlatform};
use driver_scope::platform::{Host, Sim};
use driver_scope::{
    enter, Clock, DriverScope, Error, HrTimer, Instant, Restart, Sleeper, TimerMode, TryCancel,
    Units,
};

mod common;

/// How often any thread of the process has asked for memory.
static ASKED: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: the system's allocator, with a count. (Whatever else there is to implement comes by these.)
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(1, SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

/// How often memory was asked for while `f` ran.
fn asked(f: impl FnOnce() -> Result<(), Error>) -> Result<usize, Error> {
    // Until all threads have begun.
    let mut seen = None;
    while seen != Some(ASKED.load(SeqCst)) {
        seen = Some(ASKED.load(SeqCst));
        thread::sleep(100.millis());
    }
    let before = ASKED.load(SeqCst);
    f()?;
    Ok(ASKED.load(SeqCst) - before)
}

/// How many threads start timers beside the scope's own.
const OTHERS: usize = 2;
/// How many timers there are of each mode: more than a queue keeps unsorted.
const TIMERS: usize = 24;
/// How many times all is done.
const ROUNDS: u32 = rounds(5, 1);

/// A timer, and how often its callback was called.
struct Counted<'drv, P: TestPlatform> {
    timer: HrTimer<'drv, P>,
    calls: &'drv AtomicU32,
}

impl<'drv, P: TestPlatform> Counted<'drv, P> {
    fn new(scope: &DriverScope<'drv, P>, mode: TimerMode) -> Result<Self, Error> {
        let calls = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer_with(mode, move |t| match calls.fetch_add(1, SeqCst) % 4 {
            0 => t.forward(100.micros()),
            1 => t.restart_after(50.micros()),
            2 => Restart::At(t.now().saturating_add(20.micros())),
            _ => Restart::No,
        })?;
        Ok(Counted { timer, calls })
    }

    /// Starts it so, and lets it be called.
    fn expires(
        &self,
        scope: &DriverScope<'_, P>,
        start: impl FnOnce(HrTimer<'_, P>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.timer.cancel(scope.may_sleep())?;
        let before = self.calls.load(SeqCst);
        start(self.timer)?;
        until(scope, || self.calls.load(SeqCst) > before);
        Ok(())
    }
}

fn modes() -> [TimerMode; 12] {
    // Miri has no third.
    let third = rounds(Clock::BootTime, Clock::RealTime);
    let clocks = [Clock::Monotonic, Clock::RealTime, third];
    std::array::from_fn(|i| {
        let mode = TimerMode::new().clock(clocks[i % 3]);
        let mode = if i / 3 % 2 == 1 { mode.soft() } else { mode };
        if i / 6 == 1 {
            mode.pinned()
        } else {
            mode
        }
    })
}

/// All that can be done with a timer.
fn use_timer<P: TestPlatform>(
    scope: &DriverScope<'_, P>,
    counted: &Counted<'_, P>,
) -> Result<(), Error> {
    let (timer, cx) = (counted.timer, scope.may_sleep());
    counted.expires(scope, |timer| timer.start(10.micros()))?;
    counted.expires(scope, |timer| timer.start_within(10.micros(), 40.micros()))?;
    counted.expires(scope, |timer| timer.start_at(timer.now()))?;
    counted.expires(scope, |timer| {
        timer.start_at_within(timer.now().saturating_add(20.micros()), 1.millis())
    })?;
    counted.expires(scope, |timer| timer.restart())?;
    counted.expires(scope, |timer| {
        // (Until it is past.)
        scope.sleep(200.micros());
        assert!(timer.forward(1.millis())? > 0);
        Ok(())
    })?;
    timer.cancel(cx)?;
    timer.start(NEVER.secs())?;
    assert!(timer.is_active() && timer.remaining() > Some(1.secs()));
    assert!(timer.expires() > Some(timer.now()));
    assert_eq!(timer.try_cancel(), TryCancel::Cancelled);
    timer.start_at(Instant::from_nanos(u64::MAX))?;
    timer.start_within(NEVER.secs(), NEVER.secs())?;
    assert!(timer.cancel(cx)?);
    Ok(())
}

/// What should not expire in this test.
const NEVER: u64 = 3600;

/// What other threads do with the timers of them all: each start takes a timer to the queue of its thread.
fn use_from_elsewhere<P: TestPlatform>(timers: &[Counted<'_, P>], thread: usize) {
    for round in 0..ROUNDS {
        for (i, counted) in timers.iter().enumerate() {
            let started = match (i + thread + round as usize) % 3 {
                0 => counted.timer.start(1.millis()),
                1 => counted.timer.restart(),
                _ => counted.timer.start_within(10.micros(), 1.millis()),
            };
            started.expect("the scope is open");
            if i % 4 == thread {
                let _ = counted.timer.try_cancel();
            }
        }
    }
}

/// Counts wakes.
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// All that can be done with sleeps.
fn use_sleeper<P: TestPlatform>(
    scope: &DriverScope<'_, P>,
    sleeper: Sleeper<'_, P>,
    wakers: &[Waker; 2],
    task: &Task,
) {
    let mut contexts = wakers.each_ref().map(Context::from_waker);
    let wakes = task.0.load(SeqCst);
    // Polled by one, then by the other, who is woken.
    let mut sleep = pin!(sleeper.sleep(2.millis()));
    for cx in &mut contexts {
        let _ = sleep.as_mut().poll(cx);
    }
    while sleep.as_mut().poll(&mut contexts[1]) != Poll::Ready(Ok(())) {
        scope.sleep(500.micros());
    }
    // Given up, both by its owner and by a time-out.
    let mut long = sleeper.sleep_until(sleeper.now().saturating_add(NEVER.secs()));
    assert_eq!(pin!(&mut long).poll(&mut contexts[0]), Poll::Pending);
    drop(long);
    let mut limited = pin!(sleeper.timeout(1.millis(), sleeper.sleep(NEVER.secs())));
    while limited.as_mut().poll(&mut contexts[0]).is_pending() {
        scope.sleep(500.micros());
    }
    // (Unless a poll came late, each was woken.)
    assert!(task.0.load(SeqCst) >= wakes);
}

/// Writes to nowhere.
struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        Ok(())
    }
}

/// Counts from the registration to the end of all that follows.
fn nothing_is_asked_for<P: TestPlatform>(platform: &P, what: &str) {
    let count = |scope: &DriverScope<'_, P>| -> Result<usize, Error> {
        // One for each mode, which this thread watches, and many that all threads start.
        let each: Vec<_> = modes()
            .iter()
            .map(|&mode| Counted::new(scope, mode))
            .collect::<Result<_, _>>()?;
        let many: Vec<_> = (0..TIMERS)
            .flat_map(|_| modes())
            .map(|mode| Counted::new(scope, mode))
            .collect::<Result<_, _>>()?;
        for counted in &many {
            counted.timer.start(NEVER.secs())?;
        }
        let sleeper = scope.sleeper(4)?;
        let task = Arc::new(Task(AtomicUsize::new(0)));
        let wakers = [(); 2].map(|()| Waker::from(Arc::clone(&task)));
        let (begin, ended) = (Barrier::new(OTHERS + 1), AtomicUsize::new(0));
        thread::scope(|threads| {
            for thread in 0..OTHERS {
                let (many, begin, ended) = (&many, &begin, &ended);
                threads.spawn(move || {
                    begin.wait();
                    use_from_elsewhere(many, thread);
                    ended.fetch_add(1, SeqCst);
                });
            }
            asked(|| {
                begin.wait();
                for _ in 0..ROUNDS {
                    for counted in &each {
                        use_timer(scope, counted)?;
                    }
                    use_sleeper(scope, sleeper, &wakers, &task);
                    let mut seen = 0;
                    scope.inspect(|item| seen += u32::from(item.timer().is_some()));
                    assert!(seen as usize >= each.len() + many.len());
                    write!(Nowhere, "{}", scope.table()).expect("nowhere is always there");
                }
                wait_until(|| ended.load(SeqCst) == OTHERS);
                for counted in &many {
                    counted.expires(scope, |timer| timer.start(10.micros()))?;
                }
                Ok(())
            })
        })
    };
    let found =
        platform.lend_sleep(|cx| enter(platform.clone(), cx, &(), |(), scope| count(scope)));
    assert_eq!(found, Ok(0), "{what}");
}

/// That the count is of all threads, those of callbacks too.
fn a_callback_that_allocates_is_seen<P: TestPlatform>(platform: &P) {
    let count = |scope: &DriverScope<'_, P>| -> Result<usize, Error> {
        let done = scope.own(AtomicBool::new(false))?;
        let timer = scope.hrtimer(move |_| {
            std::hint::black_box(vec![std::hint::black_box(1_u8)]);
            done.store(true, SeqCst);
            Restart::No
        })?;
        asked(|| {
            timer.start(10.micros())?;
            until(scope, || done.load(SeqCst));
            Ok(())
        })
    };
    let found =
        platform.lend_sleep(|cx| enter(platform.clone(), cx, &(), |(), scope| count(scope)));
    assert_eq!(found, Ok(1));
}

/// One test, so that no other allocates meanwhile.
#[test]
fn nothing_is_allocated_after_registration() {
    let host = |timer_threads| -> Host {
        let host = Host::builder().timer_threads(timer_threads).tracer(|_| {});
        host.build().expect("a few threads")
    };
    nothing_is_asked_for(&host(1), "Host, 1 thread");
    nothing_is_asked_for(&host(3), "Host, 3 threads");
    nothing_is_asked_for(&Sim::new(), "Sim");
    a_callback_that_allocates_is_seen::<Host>(&host(3));
    a_callback_that_allocates_is_seen(&Sim::new());
}
