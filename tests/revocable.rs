//! A `Revocable`: access until it is revoked and none after, one drop, and who waits for whom (traps 8 and 9).
//!
//! Seen to fail with: readers not waited for, the look at the own guards left out, a loser that does not wait for the drop, a mark of the
//! drop that a panic leaves out, a drop that does not look whether the value is gone.

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::mem::{self, ManuallyDrop};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Arc, Barrier, Mutex, OnceLock, Weak};
use std::thread;
use std::time::{Duration, Instant};

use common::{on_purpose, rounds, wait_until, Log, Metered, Note, TestPlatform};
use driver_scope::{enter, Error, Platform, Restart, Revocable, Units};

mod common;
#[path = "revocable/values.rs"]
mod values;

use values::*;

on_every_strategy!(
    a_value_is_refused_and_dropped_at_its_revoke,
    a_value_that_is_not_revoked_goes_with_its_revocable,
    a_revoke_waits_for_a_guard_of_another_thread,
    a_reader_that_saw_it_open_is_waited_for,
    the_loser_of_two_revokes_returns_after_the_drop,
    a_revoke_by_the_values_own_drop_is_a_deadlock,
    a_revoke_under_a_guard_of_ones_own_is_a_deadlock,
    a_revoke_that_gave_up_can_be_tried_again,
    a_forgotten_guard_keeps_the_value,
    a_long_wait_is_reported,
    a_wait_may_have_no_end,
    a_value_that_panics_in_its_drop_is_gone_all_the_same,
    a_loser_is_not_stuck_when_the_drop_panics,
    a_revoke_without_a_wait_drops_at_once,
    a_pinned_value_stays_where_it_is,
    values_may_be_unsized,
    values_may_borrow,
    values_of_one_thread_work_on_it,
);

on_every_platform!(
    a_callback_may_read_what_is_revoked_meanwhile,
    the_loser_of_two_revokes_returns_after_the_drop,
    a_revoke_by_the_values_own_drop_is_a_deadlock,
    a_forgotten_guard_keeps_the_value,
    a_long_wait_is_reported,
);

/// Long enough for something wrong to happen.
const A_WHILE: Duration = Duration::from_millis(10);

fn a_value_is_refused_and_dropped_at_its_revoke<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let value = Revocable::new(platform.clone(), log.note("value"));
    assert!(!value.is_revoked());
    {
        let guard = value.try_access().unwrap();
        guard.log().add("access");
        assert!(format!("{guard:?}").starts_with("Note"));
    }
    assert!(value
        .try_access_with(|note| note.log().add("access"))
        .is_some());
    // SAFETY: not revoked yet.
    unsafe { value.access() }.log().add("access");
    assert_eq!(log.lines(), ["access"; 3]);
    platform.lend_sleep(|cx| {
        assert_eq!(value.revoke(cx), Ok(true));
        assert_eq!(log.count("drop value"), 1);
        assert!(value.is_revoked());
        assert!(value.try_access().is_none());
        assert!(value.try_access_with(|_| unreachable!()).is_none());
        // Over and done with.
        assert_eq!(value.revoke(cx), Ok(false));
        assert_eq!(value.revoke_within(cx, Duration::ZERO), Ok(false));
    });
    drop(value);
    assert_eq!(log.count("drop value"), 1);
}

fn a_value_that_is_not_revoked_goes_with_its_revocable<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let value = Revocable::new(platform.clone(), log.note("value"));
    drop(value.try_access());
    assert_eq!(log.count("drop value"), 0);
    drop(value);
    assert_eq!(log.count("drop value"), 1);
}

fn a_revoke_waits_for_a_guard_of_another_thread<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let value = Revocable::new(platform.clone(), log.note("value"));
    let inside = AtomicBool::new(false);
    thread::scope(|threads| {
        threads.spawn(|| {
            let guard = value.try_access().unwrap();
            inside.store(true, SeqCst);
            wait_until(|| value.is_revoked());
            assert!(value.try_access().is_none());
            // It may sleep, too.
            thread::sleep(A_WHILE);
            guard.log().add("the reader leaves");
        });
        wait_until(|| inside.load(SeqCst));
        platform.lend_sleep(|cx| assert_eq!(value.revoke(cx), Ok(true)));
    });
    assert_eq!(log.lines(), ["the reader leaves", "drop value"]);
}

/// Dead or alive, told by itself: memory that is gone would not tell.
struct Canary<'a>(&'a AtomicU32);

impl Drop for Canary<'_> {
    fn drop(&mut self) {
        self.0.store(1, SeqCst);
    }
}

/// A reader and a revoker meet at every distance. What is looked for: a reader that was let in, and was not waited for.
///
/// It has to be seen by whoever waits before it sees that it is let in. A CPU keeps stores back while those before them miss its cache,
/// and loads overtake them; so both write to the same memory all the while.
fn a_reader_that_saw_it_open_is_waited_for<P: TestPlatform>() {
    const ROUNDS: usize = rounds(2_000, 30);
    /// For where threads do not run at the same time, and take turns.
    const ENOUGH: Duration = Duration::from_millis(300);
    let platform = P::fresh();
    let dead: Vec<AtomicU32> = (0..ROUNDS).map(|_| AtomicU32::new(0)).collect();
    let values: Vec<_> = dead
        .iter()
        .map(|dead| Revocable::new(platform.clone(), Canary(dead)))
        .collect();
    // A cache line for each.
    let lines: [_; 24] = std::array::from_fn(|_| Line(AtomicU32::new(0)));
    let write_all = |value| lines.iter().for_each(|line| line.0.store(value, Relaxed));
    let (ready, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let too_early = AtomicBool::new(false);
    let wait_for = |word: &AtomicUsize, value| {
        let mut spins = 0_u32;
        while word.load(SeqCst) < value {
            spins += 1;
            if spins % 256 == 0 {
                thread::yield_now();
            }
        }
    };
    thread::scope(|threads| {
        threads.spawn(|| {
            for (round, value) in values.iter().enumerate() {
                wait_for(&done, round);
                if done.load(SeqCst) > ROUNDS {
                    break;
                }
                ready.store(round + 1, SeqCst);
                // Until it is refused.
                loop {
                    write_all(1);
                    let Some(guard) = value.try_access() else {
                        break;
                    };
                    for _ in 0..200 {
                        // Told at the end: the other thread goes by this one's rounds.
                        if guard.0.load(Relaxed) != 0 {
                            too_early.store(true, SeqCst);
                        }
                    }
                }
            }
        });
        let begin = Instant::now();
        platform.lend_sleep(|cx| {
            for (round, value) in values.iter().enumerate() {
                wait_for(&ready, round + 1);
                for _ in 0..round % 8 {
                    write_all(2);
                }
                assert_eq!(value.revoke(cx), Ok(true));
                assert_eq!(dead[round].load(SeqCst), 1);
                if begin.elapsed() > ENOUGH {
                    done.store(ROUNDS + 1, SeqCst);
                    break;
                }
                done.store(round + 1, SeqCst);
            }
        });
    });
    assert!(!too_early.load(SeqCst), "dropped while it was read");
}

#[repr(align(64))]
struct Line(AtomicU32);

/// Its drop begins, and lasts until told to end.
#[derive(Default)]
struct Slow {
    begun: AtomicBool,
    end: AtomicBool,
    over: AtomicBool,
}

struct SlowDrop<'a>(&'a Slow);

impl Drop for SlowDrop<'_> {
    fn drop(&mut self) {
        self.0.begun.store(true, SeqCst);
        wait_until(|| self.0.end.load(SeqCst));
        // A loser that does not wait is gone by now.
        thread::sleep(A_WHILE);
        self.0.over.store(true, SeqCst);
    }
}

fn the_loser_of_two_revokes_returns_after_the_drop<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let slow = Slow::default();
    let value = Revocable::new(platform.clone(), SlowDrop(&slow));
    thread::scope(|threads| {
        threads.spawn(|| {
            platform.lend_sleep(|cx| assert_eq!(value.revoke(cx), Ok(true)));
            assert!(slow.over.load(SeqCst));
        });
        wait_until(|| slow.begun.load(SeqCst));
        platform.lend_sleep(|cx| {
            // One that has no time.
            assert_eq!(value.revoke_within(cx, 1.millis()), Err(Error::TimedOut));
            assert!(!slow.over.load(SeqCst));
            slow.end.store(true, SeqCst);
            assert_eq!(value.revoke(cx), Ok(false));
        });
        assert!(slow.over.load(SeqCst));
    });
}

/// Revokes, when it is dropped, what it is in.
struct Nested<P: TestPlatform> {
    platform: P,
    inside_of: OnceLock<Weak<Revocable<Nested<P>, P>>>,
    seen: Arc<Mutex<Vec<Result<bool, Error>>>>,
}

impl<P: TestPlatform> Drop for Nested<P> {
    fn drop(&mut self) {
        let Some(value) = self.inside_of.get().unwrap().upgrade() else {
            self.seen.lock().unwrap().push(Ok(false));
            return;
        };
        assert!(value.is_revoked() && value.try_access().is_none());
        // SAFETY: nobody has access, least of all by this call: it finds that the value is being dropped.
        assert!(!unsafe { value.revoke_nosync() });
        self.platform.lend_sleep(|cx| {
            let seen = [
                value.revoke(cx),
                value.revoke_within(cx, Duration::MAX),
                value.revoke_within(cx, Duration::ZERO),
            ];
            self.seen.lock().unwrap().extend(seen);
        });
    }
}

fn a_revoke_by_the_values_own_drop_is_a_deadlock<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let seen = Arc::default();
    let make = || {
        let value = Arc::new(Revocable::new(
            platform.clone(),
            Nested {
                platform: platform.clone(),
                inside_of: OnceLock::new(),
                seen: Arc::clone(&seen),
            },
        ));
        let weak = Arc::downgrade(&value);
        let _ = value.try_access().unwrap().inside_of.set(weak);
        value
    };
    let value = make();
    platform.lend_sleep(|cx| assert_eq!(value.revoke(cx), Ok(true)));
    assert_eq!(*seen.lock().unwrap(), [Err(Error::Deadlock); 3]);
    // Whoever comes later is not stuck.
    platform.lend_sleep(|cx| assert_eq!(value.revoke(cx), Ok(false)));

    // The same, by the call that does not wait.
    let value = make();
    // SAFETY: nobody has access.
    assert!(unsafe { value.revoke_nosync() });
    assert_eq!(*seen.lock().unwrap(), [Err(Error::Deadlock); 6]);

    // With its revocable gone there is nothing to revoke.
    drop(make());
    assert_eq!(seen.lock().unwrap().last(), Some(&Ok(false)));
}

fn a_revoke_under_a_guard_of_ones_own_is_a_deadlock<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let value = Revocable::new(platform.clone(), log.note("value"));
    platform.lend_sleep(|cx| {
        let guard = value.try_access().unwrap();
        if P::TELLS {
            assert_eq!(value.revoke(cx), Err(Error::Deadlock));
            assert_eq!(value.revoke_within(cx, 1.secs()), Err(Error::Deadlock));
            // Nothing has been done.
            assert!(!value.is_revoked() && value.try_access().is_some());
        } else {
            // It waits for itself, as long as it was told to.
            assert_eq!(value.revoke_within(cx, 5.millis()), Err(Error::TimedOut));
            assert!(value.is_revoked() && value.try_access().is_none());
        }
        assert_eq!(log.count("drop value"), 0);
        guard.log().add("still there");
        drop(guard);
        assert_eq!(value.revoke(cx), Ok(true));
    });
    assert_eq!(log.count("drop value"), 1);
}

fn a_revoke_that_gave_up_can_be_tried_again<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let value = Revocable::new(platform.clone(), log.note("value"));
    let (inside, leave) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|threads| {
        threads.spawn(|| {
            let guard = value.try_access().unwrap();
            inside.store(true, SeqCst);
            wait_until(|| leave.load(SeqCst));
            guard.log().add("the reader leaves");
        });
        wait_until(|| inside.load(SeqCst));
        platform.lend_sleep(|cx| {
            for patience in [Duration::ZERO, 1.nanos(), 5.millis()] {
                assert_eq!(value.revoke_within(cx, patience), Err(Error::TimedOut));
                assert!(value.is_revoked() && value.try_access().is_none());
            }
        });
        assert!(log.lines().is_empty());
        leave.store(true, SeqCst);
        // By another thread, this time.
        threads.spawn(|| {
            platform.lend_sleep(|cx| assert_eq!(value.revoke_within(cx, 60.secs()), Ok(true)));
        });
    });
    assert_eq!(log.lines(), ["the reader leaves", "drop value"]);
}

fn a_forgotten_guard_keeps_the_value<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    // Its memory is not used again: to the forgotten section, what is there is this.
    let value = Box::leak(Box::new(ManuallyDrop::new(Revocable::new(
        platform.clone(),
        log.note("value"),
    ))));
    let (forgotten, end) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|threads| {
        let reader = threads.spawn(|| {
            mem::forget(value.try_access());
            forgotten.store(true, SeqCst);
            wait_until(|| end.load(SeqCst));
        });
        wait_until(|| forgotten.load(SeqCst));
        platform.lend_sleep(|cx| {
            // It could still leave, for all that one knows.
            assert_eq!(value.revoke_within(cx, 5.millis()), Err(Error::TimedOut));
            end.store(true, SeqCst);
            reader.join().unwrap();
            if P::TELLS {
                assert_eq!(value.revoke(cx), Err(Error::Leaked));
                assert_eq!(value.revoke_within(cx, Duration::MAX), Err(Error::Leaked));
            } else {
                assert_eq!(value.revoke_within(cx, 5.millis()), Err(Error::TimedOut));
            }
        });
    });
    assert!(value.try_access().is_none());
    assert_eq!(log.count("drop value"), 0);
    // The borrow of the guard is over, so the value can go.
    // SAFETY: dropped this once, and not used again.
    unsafe { ManuallyDrop::drop(value) };
    assert_eq!(log.count("drop value"), 1);
}

fn a_long_wait_is_reported<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let value = Revocable::new(platform.clone(), log.note("value"));
    let inside = AtomicBool::new(false);
    let report = "revoke: still waiting for a revocable's readers";
    thread::scope(|threads| {
        threads.spawn(|| {
            let guard = value.try_access().unwrap();
            inside.store(true, SeqCst);
            wait_until(|| log.count(report) > 0);
            guard.log().add("the reader leaves");
        });
        wait_until(|| inside.load(SeqCst));
        let begin = platform.now();
        platform.lend_sleep(|cx| assert_eq!(value.revoke(cx), Ok(true)));
        assert!(platform.now() >= begin.saturating_add(1.secs()));
    });
    let lines = log.lines();
    assert_eq!(lines[0], report);
    assert_eq!(
        lines[lines.len() - 2..],
        ["the reader leaves", "drop value"]
    );
}

fn a_wait_may_have_no_end<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let value = Revocable::new(platform.clone(), ());
    let inside = AtomicBool::new(false);
    thread::scope(|threads| {
        threads.spawn(|| {
            let _guard = value.try_access().unwrap();
            inside.store(true, SeqCst);
            wait_until(|| value.is_revoked());
            thread::sleep(A_WHILE);
        });
        wait_until(|| inside.load(SeqCst));
        platform.lend_sleep(|cx| assert_eq!(value.revoke_within(cx, Duration::MAX), Ok(true)));
    });
}

fn a_value_that_panics_in_its_drop_is_gone_all_the_same<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let value = Revocable::new(platform.clone(), log.mine("value"));
    platform.lend_sleep(|cx| {
        let panicked = catch_unwind(AssertUnwindSafe(|| value.revoke(cx)));
        assert!(panicked.is_err());
        assert!(value.is_revoked() && value.try_access().is_none());
        assert_eq!(value.revoke(cx), Ok(false));
    });
    // SAFETY: nobody has access.
    assert!(!unsafe { value.revoke_nosync() });
    thread::scope(|threads| {
        threads.spawn(|| {
            platform.lend_sleep(|cx| assert_eq!(value.revoke_within(cx, 60.secs()), Ok(false)));
        });
    });
    drop(value);
    assert_eq!(log.count("drop value"), 1);
}

/// As a `SlowDrop`, but it panics at its end.
struct SlowMine<'a>(#[allow(dead_code)] SlowDrop<'a>);

impl Drop for SlowMine<'_> {
    fn drop(&mut self) {
        on_purpose("the value's drop");
    }
}

fn a_loser_is_not_stuck_when_the_drop_panics<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let slow = Slow::default();
    let value = Revocable::new(platform.clone(), SlowMine(SlowDrop(&slow)));
    thread::scope(|threads| {
        threads.spawn(|| {
            platform.lend_sleep(|cx| {
                assert!(catch_unwind(AssertUnwindSafe(|| value.revoke(cx))).is_err());
            });
        });
        wait_until(|| slow.begun.load(SeqCst));
        slow.end.store(true, SeqCst);
        platform.lend_sleep(|cx| assert_eq!(value.revoke_within(cx, 60.secs()), Ok(false)));
        assert!(slow.over.load(SeqCst));
    });
}

fn a_revoke_without_a_wait_drops_at_once<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let value = Revocable::new(platform.clone(), log.note("value"));
    drop(value.try_access());
    // SAFETY: (both) nobody has access.
    unsafe {
        assert!(value.revoke_nosync());
        assert_eq!(log.count("drop value"), 1);
        assert!(!value.revoke_nosync());
    }
    assert!(value.is_revoked() && value.try_access().is_none());
    platform.lend_sleep(|cx| assert_eq!(value.revoke(cx), Ok(false)));
    drop(value);
    assert_eq!(log.count("drop value"), 1);
}

fn a_callback_may_read_what_is_revoked_meanwhile<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let value = Revocable::new(platform.clone(), log.note("value"));
    let env = (&value, AtomicU32::new(0), AtomicBool::new(false));
    platform.meanwhile(|| {
        platform
            .lend_sleep(|cx| {
                enter(
                    platform.clone(),
                    cx,
                    &env,
                    |(value, reads, refused), scope| {
                        let timer = scope.hrtimer(move |t| {
                            let Some(guard) = value.try_access() else {
                                refused.store(true, SeqCst);
                                return Restart::No;
                            };
                            reads.fetch_add(1, SeqCst);
                            // Revoked in the middle of it, at some time.
                            thread::sleep(100.micros());
                            guard.log().add("read");
                            t.restart_after(1.micros())
                        })?;
                        timer.start(0.nanos())?;
                        wait_until(|| reads.load(SeqCst) > 3);
                        assert_eq!(value.revoke(scope.may_sleep()), Ok(true));
                        wait_until(|| refused.load(SeqCst));
                        Ok::<(), Error>(())
                    },
                )
            })
            .unwrap();
    });
    let lines = log.lines();
    let dropped = lines.iter().position(|line| line == "drop value").unwrap();
    assert!(!lines[dropped..].contains(&"read".to_owned()));
    platform.assert_at_rest();
}

/// All of them at once, and each value is dropped by one.
#[test]
fn of_many_revokers_one_drops() {
    const THREADS: usize = 4;
    let platform = common::strategies::OnFenced::fresh();
    for _ in 0..rounds(200, 5) {
        let log = Log::default();
        let value = Revocable::new(platform.clone(), log.note("value"));
        let barrier = Barrier::new(THREADS);
        let winners = AtomicUsize::new(0);
        thread::scope(|threads| {
            for _ in 0..THREADS {
                threads.spawn(|| {
                    barrier.wait();
                    let won = platform.lend_sleep(|cx| value.revoke(cx)).unwrap();
                    assert_eq!(log.count("drop value"), 1);
                    winners.fetch_add(usize::from(won), SeqCst);
                });
            }
        });
        assert_eq!(winners.load(SeqCst), 1);
    }
}
