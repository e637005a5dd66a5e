//! Sleeps end at their time or with their scope, whoever polls, drops or forgets them, and whatever their wakers do (trap 18).

use std::cell::Cell;
use std::future::{pending, ready, Future};
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};
use std::task::Poll::{Pending, Ready};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use common::{on_purpose, rounds, run, run_on, until, wait_until, Metered, TestPlatform};
use driver_scope::platform::{Host, Sim};
use driver_scope::{
    Binding, Driver, DriverScope, Error, Instant, MaySleep, Platform, Restart, Sleep, Sleeper,
    Units,
};

#[path = "sleep/alloc.rs"]
mod alloc;
#[path = "sleep/close.rs"]
mod close;
mod common;
#[path = "sleep/spy.rs"]
mod spy;
#[path = "sleep/timeout.rs"]
mod timeout;
#[path = "sleep/wakers.rs"]
mod wakers;

use alloc::*;
use close::*;
use spy::{block_on, poll, poll_with, Act, Spy};
use timeout::*;
use wakers::*;

on_every_platform!(
    a_sleep_ends_at_its_instant,
    zero_and_the_past_end_at_the_first_poll_and_need_no_place,
    an_instant_beyond_the_clock_is_refused,
    a_sleep_that_is_over_says_the_same_again,
    a_sleep_counts_from_when_it_was_made,
    a_place_is_taken_at_the_first_poll,
    places_are_given_back,
    all_places_taken_is_told_at_once,
    a_dropped_sleep_wakes_nobody,
    a_dropped_sleep_leaves_its_timer_idle,
    a_place_is_given_back_while_its_callback_runs,
    what_the_platform_lacks_is_told_by_the_sleeper,
    sleeps_on_many_threads,
    a_sleep_is_polled_by_another_thread,
    // close.rs
    forgotten_sleeps_are_harmless,
    a_pending_sleep_ends_with_closed,
    after_the_close_every_sleep_is_closed,
    a_remove_ends_the_sleep_of_a_port_call,
    a_waker_that_panics_at_the_close_leaves_none_asleep,
    // wakers.rs
    the_last_waker_is_woken,
    the_same_waker_is_not_cloned_again,
    a_waker_may_poll_at_once,
    a_waker_may_drop_its_sleep,
    a_waker_may_sleep,
    a_waker_that_panics_spoils_nothing,
    a_waker_that_panics_when_it_is_cloned_spoils_nothing,
    // timeout.rs
    a_future_in_time_wins,
    a_future_out_of_time_loses,
    at_the_same_instant_the_future_wins,
    timeouts_nest,
    a_timeout_tells_what_its_sleep_tells,
    a_timeout_is_not_polled_again,
);

// Not on the foreign library: its own queue allocates.
#[test]
fn nothing_is_allocated_after_registration_on_host() {
    nothing_is_allocated_after_registration::<Host>();
}

#[test]
fn nothing_is_allocated_after_registration_on_sim() {
    nothing_is_allocated_after_registration::<Sim>();
}

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3600);
/// As far ahead as it takes for a poll to come before it on a loaded machine.
const AHEAD: Duration = Duration::from_millis(100);

fn a_sleep_ends_at_its_instant<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let spy = Spy::new();
        for _ in 0..3 {
            let (before, wakes) = (scope.now(), spy.wakes());
            let mut sleep = sleeper.sleep(AHEAD);
            assert_eq!(poll(&mut sleep, &spy), Pending);
            if !P::REAL_TIME {
                scope.sleep(AHEAD - 1.nanos());
                assert_eq!((poll(&mut sleep, &spy), spy.wakes()), (Pending, wakes));
                scope.sleep(1.nanos());
                assert_eq!(spy.wakes(), wakes + 1);
            }
            until(scope, || spy.wakes() > wakes);
            assert!(scope.now() >= before.saturating_add(AHEAD));
            assert_eq!(poll(&mut sleep, &spy), Ready(Ok(())));
            assert_eq!(spy.wakes(), wakes + 1);
        }
        assert_eq!(spy.live(), 0);
        Ok(())
    });
}

fn zero_and_the_past_end_at_the_first_poll_and_need_no_place<P: TestPlatform>() {
    run::<P>(|scope| {
        scope.sleep(1.millis());
        let sleeper = scope.sleeper(0)?;
        let spy = Spy::new();
        for at in [Instant::ZERO, scope.now()] {
            assert_eq!(poll(&mut sleeper.sleep_until(at), &spy), Ready(Ok(())));
        }
        assert_eq!(poll(&mut sleeper.sleep(0.nanos()), &spy), Ready(Ok(())));
        assert_eq!((spy.clones(), spy.live()), (0, 0));
        Ok(())
    });
}

fn an_instant_beyond_the_clock_is_refused<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let spy = Spy::new();
        let mut endless = sleeper.sleep(Duration::MAX);
        assert_eq!(poll(&mut endless, &spy), Ready(Err(Error::TimeOverflow)));
        // The last instant there is can be named; it will not come.
        let mut last = sleeper.sleep_until(Instant::MAX);
        assert_eq!(poll(&mut last, &spy), Pending);
        Ok(())
    });
}

fn a_sleep_that_is_over_says_the_same_again<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let spy = Spy::new();
        let mut sleeps = [
            sleeper.sleep(0.nanos()),
            sleeper.sleep(Duration::MAX),
            sleeper.sleep(AHEAD),
        ];
        let _ = poll(&mut sleeps[2], &spy);
        until(scope, || spy.wakes() > 0);
        for _ in 0..3 {
            let results = sleeps.each_mut().map(|sleep| poll(sleep, &spy));
            let expected = [Ok(()), Err(Error::TimeOverflow), Ok(())].map(Ready);
            assert_eq!(results, expected);
        }
        // Though it is kept, its place is free.
        assert_eq!(poll(&mut sleeper.sleep(NEVER), &spy), Pending);
        Ok(())
    });
}

fn a_sleep_counts_from_when_it_was_made<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let mut sleep = sleeper.sleep(AHEAD);
        scope.sleep(AHEAD);
        assert_eq!(poll(&mut sleep, &Spy::new()), Ready(Ok(())));
        Ok(())
    });
}

fn a_place_is_taken_at_the_first_poll<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let spy = Spy::new();
        let idle: Vec<_> = (0..10).map(|_| sleeper.sleep(NEVER)).collect();
        idle.into_iter().for_each(mem::forget);
        assert_eq!(poll(&mut sleeper.sleep(NEVER), &spy), Pending);
        Ok(())
    });
}

fn places_are_given_back<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(2)?;
        let spy = Spy::new();
        for _ in 0..rounds(100, 10) {
            // By a drop.
            let mut dropped = sleeper.sleep(NEVER);
            assert_eq!(poll(&mut dropped, &spy), Pending);
            drop(dropped);
            assert_eq!(spy.live(), 0);
        }
        for _ in 0..3 {
            // By an end.
            let wakes = spy.wakes();
            let mut ended = sleeper.sleep(AHEAD);
            let mut other = sleeper.sleep(NEVER);
            assert_eq!(poll(&mut ended, &spy), Pending);
            assert_eq!(poll(&mut other, &spy), Pending);
            until(scope, || spy.wakes() > wakes);
            assert_eq!(poll(&mut ended, &spy), Ready(Ok(())));
            assert_eq!(poll(&mut other, &spy), Pending);
        }
        Ok(())
    });
}

fn all_places_taken_is_told_at_once<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(2)?;
        let others = scope.sleeper(1)?;
        let spy = Spy::new();
        let mut sleeps = [NEVER; 3].map(|delay| sleeper.sleep(delay));
        let polled = sleeps.each_mut().map(|sleep| poll(sleep, &spy));
        let expected = [Pending, Pending, Ready(Err(Error::TooManySleeps))];
        assert_eq!(polled, expected);
        // Another sleeper has its own places.
        assert_eq!(poll(&mut others.sleep(NEVER), &spy), Pending);
        // One that found no place does not look again; a new one does.
        let [first, _, mut third] = sleeps;
        drop(first);
        assert_eq!(poll(&mut third, &spy), Ready(Err(Error::TooManySleeps)));
        assert_eq!(poll(&mut sleeper.sleep(NEVER), &spy), Pending);
        Ok(())
    });
}

fn a_dropped_sleep_wakes_nobody<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(1)?;
        let spy = Spy::new();
        // In a callback: then it does not expire before it is dropped, however slow the machine.
        let dropped = scope.own(AtomicBool::new(false))?;
        let timer = scope.hrtimer({
            let spy = Arc::clone(&spy);
            move |_| {
                let mut sleep = sleeper.sleep(AHEAD);
                assert_eq!(poll(&mut sleep, &spy), Pending);
                drop(sleep);
                dropped.store(true, SeqCst);
                Restart::No
            }
        })?;
        timer.start(0.nanos())?;
        until(scope, || dropped.load(SeqCst));
        scope.sleep(AHEAD * 3 / 2);
        assert_eq!((spy.wakes(), spy.live()), (0, 0));
        Ok(())
    });
}

fn a_dropped_sleep_leaves_its_timer_idle<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    run_on(&platform, |scope| {
        let sleeper = scope.named("nap").sleeper(1)?;
        let mut sleep = sleeper.sleep(NEVER);
        assert_eq!(poll(&mut sleep, &Spy::new()), Pending);
        drop(sleep);
        Ok(())
    });
    let idle = "enter: hrtimer nap: was idle";
    assert_eq!(platform.log().count(idle), 1, "{:?}", platform.log());
}

/// A drop does not wait, and the next sleep in the same place is not ended by the expiry that is still under way.
fn a_place_is_given_back_while_its_callback_runs<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.meanwhile(|| {
        run_on(&platform, |scope| {
            let sleeper = scope.sleeper(1)?;
            let (first, second) = (Spy::new(), Spy::new());
            let inside = Arc::new(AtomicU32::new(0));
            let gate = Arc::clone(&inside);
            // SAFETY: the hook borrows nothing.
            unsafe {
                first.set_hook(move |act| {
                    if act == Act::Wake {
                        gate.store(1, SeqCst);
                        wait_until(|| gate.load(SeqCst) == 2);
                    }
                });
            }
            let mut sleep = sleeper.sleep(AHEAD);
            assert_eq!(poll(&mut sleep, &first), Pending);
            wait_until(|| inside.load(SeqCst) == 1);
            drop(sleep);
            let delay = AHEAD;
            let at = scope.now().saturating_add(delay);
            let mut next = sleeper.sleep_until(at);
            assert_eq!(poll(&mut next, &second), Pending);
            inside.store(2, SeqCst);
            // (If the first callback wakes the second task, that is for nothing.)
            assert_eq!(block_on(next), Ok(()));
            assert!(scope.now() >= at);
            Ok(())
        });
    });
}

fn what_the_platform_lacks_is_told_by_the_sleeper<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    run_on(&platform, |scope| {
        platform.meter().refuse_timers.store(true, SeqCst);
        assert_eq!(scope.sleeper(1).map(drop), Err(Error::Platform(-11)));
        platform.meter().refuse_timers.store(false, SeqCst);
        platform.meter().refuse_from(2);
        assert_eq!(scope.sleeper(1000).map(drop), Err(Error::NoMemory));
        platform.meter().refuse_from(0);
        let sleeper = scope.sleeper(1)?;
        assert_eq!(poll(&mut sleeper.sleep(NEVER), &Spy::new()), Pending);
        Ok(())
    });
}

fn sleeps_on_many_threads<P: TestPlatform>() {
    const THREADS: u64 = 4;
    let platform = Metered::<P>::fresh();
    platform.meanwhile(|| {
        run_on(&platform, |scope| {
            let sleeper = scope.sleeper(THREADS as usize)?;
            thread::scope(|threads| {
                for thread in 0..THREADS {
                    threads.spawn(move || {
                        for round in 0..rounds(50, 5) {
                            let delay = ((thread * 37 + round * 11) % 300).micros();
                            let at = sleeper.now().saturating_add(delay);
                            assert_eq!(block_on(sleeper.sleep(delay)), Ok(()));
                            assert!(sleeper.now() >= at);
                            // One that is dropped at about its expiry, for the next to find its place.
                            let raced = sleeper.timeout(delay, Yields(round));
                            let raced = block_on(raced);
                            assert!(matches!(raced, Ok(()) | Err(Error::TimedOut)));
                        }
                    });
                }
            });
            Ok(())
        });
    });
}

/// Ends at the so-manieth poll, and has itself polled again.
struct Yields(u64);

impl Future for Yields {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.0 {
            0 => Ready(()),
            _ => {
                self.0 -= 1;
                cx.waker().wake_by_ref();
                Pending
            }
        }
    }
}

fn a_sleep_is_polled_by_another_thread<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.meanwhile(|| {
        run_on(&platform, |scope| {
            let sleeper = scope.sleeper(1)?;
            let spy = Spy::new();
            let mut sleep = sleeper.sleep(AHEAD);
            // Pending, unless the machine is very slow.
            let _ = poll(&mut sleep, &spy);
            thread::scope(|threads| {
                let other = threads.spawn(move || block_on(sleep));
                assert_eq!(other.join().unwrap(), Ok(()));
            });
            assert_eq!(spy.live(), 0);
            Ok(())
        });
    });
}
