//! A `Host` with several timer threads: callbacks of different timers run side by side, that of one never beside itself; a timer goes to the queue of
//! who starts it, and stays where its callback runs.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::Mutex;
use std::thread::{self, ThreadId};

use common::{rounds, run_on, until, wait_until, Metered};
use driver_scope::platform::Host;
use driver_scope::{HrTimer, Restart, TryCancel, Units};

mod common;

/// What a timer waits for that should not expire in this test.
const NEVER: u64 = 3600;

fn host(timer_threads: usize) -> Metered<Host> {
    let host = Host::builder().timer_threads(timer_threads).tracer(|_| {});
    Metered::around(host.build().expect("a few threads"))
}

/// Calls `f` on so many threads, one after the other, whose numbers follow each other: whose timers go to different queues.
fn on_threads(n: usize, f: impl Fn(usize) + Sync) {
    for i in 0..n {
        thread::scope(|threads| {
            threads.spawn(|| f(i));
        });
    }
}

#[test]
fn callbacks_of_several_queues_run_side_by_side() {
    run_on(&host(4), |scope| {
        let inside = scope.own(AtomicU32::new(0))?;
        let timers: Vec<HrTimer<'_, _>> = (0..16)
            .map(|_| {
                scope.hrtimer(move |_| {
                    inside.fetch_add(1, SeqCst);
                    // Two at least; more are left to how the threads are numbered.
                    wait_until(|| inside.load(SeqCst) >= 2);
                    Restart::No
                })
            })
            .collect::<Result<_, _>>()?;
        on_threads(16, |i| timers[i].start(0.nanos()).unwrap());
        until(scope, || timers.iter().all(|timer| !timer.is_active()));
        assert_eq!(inside.load(SeqCst), 16);
        Ok(())
    });
}

#[test]
fn what_a_callback_starts_stays_with_its_thread() {
    run_on(&host(3), |scope| {
        let seen = scope.own(Mutex::new(Vec::<(ThreadId, ThreadId)>::new()))?;
        for _ in 0..16 {
            let by = scope.own(Mutex::new(None))?;
            let other = scope.hrtimer(move |_| {
                let by = by.lock().unwrap().expect("started by the other");
                seen.lock().unwrap().push((by, thread::current().id()));
                Restart::No
            })?;
            let timer = scope.hrtimer(move |_| {
                *by.lock().unwrap() = Some(thread::current().id());
                other.start(0.nanos()).unwrap();
                Restart::No
            })?;
            on_threads(1, |_| timer.start(0.nanos()).unwrap());
        }
        until(scope, || seen.lock().unwrap().len() == 16);
        let seen = seen.lock().unwrap();
        assert!(seen.iter().all(|(by, on)| by == on), "{seen:?}");
        let threads: BTreeSet<_> = seen.iter().map(|(_, on)| format!("{on:?}")).collect();
        assert!(threads.len() > 1, "all on one thread");
        Ok(())
    });
}

/// Several threads and its own callback start, restart and cancel one timer, which so goes from queue to queue.
#[test]
fn a_timer_that_everybody_starts_is_one_callback_after_the_other() {
    run_on(&host(3), |scope| {
        let inside = scope.own(AtomicBool::new(false))?;
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |t| {
            assert!(!inside.swap(true, SeqCst));
            let round = fired.fetch_add(1, SeqCst);
            if round % 16 == 0 {
                thread::sleep(20.micros());
            }
            inside.store(false, SeqCst);
            if round % 3 == 0 {
                t.restart_after(1.micros())
            } else {
                Restart::No
            }
        })?;
        thread::scope(|threads| {
            for thread in 0..4 {
                threads.spawn(move || {
                    for round in 0..rounds(2000_u32, 30) {
                        timer.start(u64::from(round % 7 * 3).micros()).unwrap();
                        if round % 5 == thread {
                            let _ = timer.try_cancel();
                        }
                    }
                });
            }
        });
        timer.start(0.nanos())?;
        until(scope, || !timer.is_active());
        let all = fired.load(SeqCst);
        assert!(all > 0);
        // It is armed in no queue any more.
        scope.sleep(3.millis());
        assert_eq!(fired.load(SeqCst), all);
        Ok(())
    });
}

#[test]
fn a_timer_that_moves_is_armed_once() {
    run_on(&host(2), |scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |_| {
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;
        for round in 1..=rounds(20, 3) {
            on_threads(3, |_| timer.start(NEVER.secs()).unwrap());
            assert!(timer.is_active());
            assert_eq!(timer.try_cancel(), TryCancel::Cancelled);
            assert_eq!(timer.try_cancel(), TryCancel::Idle);
            on_threads(2, |_| timer.start(300.micros()).unwrap());
            until(scope, || fired.load(SeqCst) >= round && !timer.is_active());
            scope.sleep(1.millis());
            // Once, but that a slow machine may have let it expire between two starts.
            let late = fired.swap(round, SeqCst) - round;
            assert!(late <= 1);
        }
        Ok(())
    });
}

/// A cancel from any thread waits for the callback, whichever thread runs it, and whoever starts the timer meanwhile.
#[test]
fn cancel_waits_across_queues() {
    run_on(&host(3), |scope| {
        let inside = scope.own(AtomicBool::new(false))?;
        let timer = scope.hrtimer(move |t| {
            inside.store(true, SeqCst);
            thread::sleep(200.micros());
            inside.store(false, SeqCst);
            t.restart_after(0.nanos())
        })?;
        let stop = AtomicBool::new(false);
        for _ in 0..rounds(20, 3) {
            on_threads(1, |_| timer.start(0.nanos()).unwrap());
            wait_until(|| inside.load(SeqCst));
            assert_eq!(timer.cancel(scope.may_sleep()), Ok(true));
            assert!(!inside.load(SeqCst) && !timer.is_active());
        }
        // With others that start it all the time: none of them keeps the cancel from its end.
        thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    while !stop.load(SeqCst) {
                        timer.start(0.nanos()).unwrap();
                        thread::sleep(50.micros());
                    }
                });
            }
            for _ in 0..rounds(20, 3) {
                timer.cancel(scope.may_sleep()).unwrap();
            }
            stop.store(true, SeqCst);
        });
        Ok(())
    });
}

/// The scope ends while callbacks on every thread start each other's timers.
#[test]
fn a_teardown_ends_timers_of_all_queues() {
    for _ in 0..rounds(20, 3) {
        let platform = host(3);
        let running = std::sync::Arc::new(AtomicU32::new(0));
        run_on(&platform, |scope| {
            let fired = scope.own(AtomicU32::new(0))?;
            let mut last: Option<HrTimer<'_, _>> = None;
            for _ in 0..6 {
                let running = running.clone();
                let next = last;
                let timer = scope.hrtimer(move |t| {
                    running.fetch_add(1, SeqCst);
                    fired.fetch_add(1, SeqCst);
                    if let Some(next) = next {
                        let _ = next.start(5.micros());
                    }
                    running.fetch_sub(1, SeqCst);
                    t.restart_after(5.micros())
                })?;
                on_threads(1, |_| timer.start(0.nanos()).unwrap());
                last = Some(timer);
            }
            until(scope, || fired.load(SeqCst) > 50);
            Ok(())
        });
        assert_eq!(running.load(SeqCst), 0);
    }
}

#[test]
fn no_timer_threads_means_one() {
    run_on(&host(0), |scope| {
        let fired = scope.own(AtomicBool::new(false))?;
        let timer = scope.hrtimer(move |_| {
            fired.store(true, SeqCst);
            Restart::No
        })?;
        timer.start(0.nanos())?;
        until(scope, || fired.load(SeqCst));
        Ok(())
    });
}

/// An ordinary thread's sleeps are late by 50 µs on Linux.
#[cfg(target_os = "linux")]
#[cfg_attr(miri, ignore = "there is no /proc, and no timer slack")]
#[test]
fn timer_threads_sleep_exactly() {
    run_on(&host(2), |scope| {
        let slack = scope.own(Mutex::new(String::new()))?;
        let timer = scope.hrtimer(move |_| {
            // Of a task that is not the first of its process, it is found under its own number only.
            let this = std::fs::read_link("/proc/thread-self").unwrap();
            let of_this = std::path::Path::new("/proc").join(this.file_name().unwrap());
            let found = std::fs::read_to_string(of_this.join("timerslack_ns"));
            *slack.lock().unwrap() = found.unwrap_or("unknown".into());
            Restart::No
        })?;
        timer.start(0.nanos())?;
        until(scope, || !slack.lock().unwrap().is_empty());
        let slack = slack.lock().unwrap();
        assert!(["1", "unknown"].contains(&slack.trim()), "{slack}");
        Ok(())
    });
}
