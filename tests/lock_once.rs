//! What a driver that forbids `unsafe` shares state with: a lock for every context, and a cell that is written once.
//!
//! Seen to fail with: a lock that does not wait, one that wakes nobody, one that says the crate's line for the driver's, a cell written by all.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::Arc;
use std::thread;

use common::locks::locks_made;
use common::{on_purpose, rounds, run, until, wait_until, Foreign, Log, Metered, TestPlatform};
use driver_scope::platform::Host;
use driver_scope::{Lock, Once, Restart, Units};

mod common;

on_every_platform!(
    a_lock_admits_one_at_a_time,
    callbacks_and_threads_share_a_lock,
    a_lock_gives_its_value_back,
    a_lock_is_told_where_it_is_made,
    a_once_is_written_once,
    a_once_made_before_its_handle,
);

fn a_lock_admits_one_at_a_time<P: TestPlatform>() {
    const THREADS: usize = 4;
    const ROUNDS: usize = rounds(2_000, 50);
    let lock = Lock::<_, P>::new([0_usize; 2]);
    let inside = AtomicUsize::new(0);
    thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                for round in 0..ROUNDS {
                    let mut pair = lock.lock();
                    assert_eq!(inside.fetch_add(1, SeqCst), 0);
                    // Not atomic: what a race would break.
                    pair[0] += 1;
                    if round % 50 == 0 {
                        thread::yield_now();
                    }
                    pair[1] += 1;
                    assert_eq!(pair[0], pair[1]);
                    inside.fetch_sub(1, SeqCst);
                }
            });
        }
    });
    assert_eq!(lock.into_inner(), [THREADS * ROUNDS; 2]);
}

fn callbacks_and_threads_share_a_lock<P: TestPlatform>() {
    run::<P>(|scope| {
        let lock = scope.own(Lock::<_, Metered<P>>::new((0_u32, 0_u32)))?;
        let timer = scope.hrtimer(move |t| {
            let mut counts = lock.lock();
            counts.0 += 1;
            counts.1 += 1;
            t.restart_after(20.micros())
        })?;
        timer.start(0.nanos())?;
        scope.platform().meanwhile(|| {
            for _ in 0..rounds(500, 20) {
                let mut counts = lock.lock();
                counts.0 += 1;
                thread::yield_now();
                counts.1 += 1;
                assert_eq!(counts.0, counts.1);
            }
            wait_until(|| lock.lock().0 > rounds(510, 30));
        });
        Ok(())
    });
}

fn a_lock_gives_its_value_back<P: TestPlatform>() {
    let log = Log::default();
    let lock = Lock::<_, P>::new(log.note("value"));
    assert_eq!(format!("{lock:?}"), "Lock { .. }");
    // A panic under it leaves it free.
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.lock();
        on_purpose("under the lock")
    }));
    assert!(panicked.is_err());
    lock.lock().log().add("locked again");
    // Formatting does not take it.
    let guard = lock.lock();
    assert_eq!(format!("{lock:?}"), "Lock { .. }");
    drop(guard);
    let value = lock.into_inner();
    assert_eq!(log.lines(), ["locked again"]);
    drop(value);
    assert_eq!(log.lines(), ["locked again", "drop value"]);
}

fn a_lock_is_told_where_it_is_made<P: TestPlatform>() {
    /// One for all that call it.
    fn made_here<P: TestPlatform>() -> Lock<u8, Metered<P>> {
        Lock::new(0)
    }
    #[track_caller]
    fn made_there<P: TestPlatform>() -> Lock<u8, Metered<P>> {
        Lock::new(0)
    }

    locks_made();
    let first = line!() + 1;
    let _a = Lock::<_, Metered<P>>::new(0);
    let _b = (Lock::<_, Metered<P>>::new(0), made_there::<P>());
    let _c = [made_here::<P>(), made_here::<P>()];
    let _d = made_there::<P>();
    let made = locks_made();
    assert!(made.iter().all(|at| at.file() == file!()), "{made:?}");
    let lines: Vec<u32> = made.iter().map(|at| at.line()).collect();
    let [inside, again] = lines[3..5] else {
        panic!("{lines:?}");
    };
    assert_eq!(
        lines,
        [first, first + 1, first + 1, inside, again, first + 3]
    );
    assert_eq!(inside, again);
    assert!(inside < first);
    // Two on a line are told apart by where on it.
    assert_ne!(made[1].column(), made[2].column());

    run::<P>(|scope| {
        locks_made();
        scope.work(|_| Restart::No)?;
        scope.sleeper(1)?;
        let made = locks_made();
        let files: Vec<&str> = made.iter().map(|at| at.file()).collect();
        // The crate's own have lines of the crate, and not of the driver.
        assert_eq!(files, ["src/work/node.rs", "src/sleep/slot.rs"]);
        Ok(())
    });
}

fn a_once_is_written_once<P: TestPlatform>() {
    const THREADS: u32 = 4;
    for _ in 0..rounds(50, 5) {
        let once = Once::new();
        let won = AtomicU32::new(0);
        let ready = AtomicU32::new(0);
        let alive = Arc::new(());
        thread::scope(|threads| {
            for mine in 0..THREADS {
                let (once, won, ready, alive) = (&once, &won, &ready, &alive);
                threads.spawn(move || {
                    ready.fetch_add(1, SeqCst);
                    while ready.load(SeqCst) < THREADS {
                        thread::yield_now();
                    }
                    match once.set((mine, [mine; 64], Arc::clone(alive))) {
                        Ok(()) => {
                            won.fetch_add(1, SeqCst);
                        }
                        // Its own, given back.
                        Err((value, ..)) => assert_eq!(value, mine),
                    }
                    if let Some((value, copies, _)) = once.get() {
                        assert_eq!(*copies, [*value; 64]);
                    }
                });
            }
        });
        assert_eq!(won.load(SeqCst), 1);
        assert!(once.get().is_some());
        assert_eq!(Arc::strong_count(&alive), 2);
        drop(once);
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}

fn a_once_made_before_its_handle<P: TestPlatform>() {
    run::<P>(|scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        // A callback that finds its own timer by a cell.
        let own = scope.alloc(Once::new())?;
        let timer = scope.hrtimer(move |_| {
            if let Some(timer) = own.get() {
                if fired.fetch_add(1, SeqCst) < 2 {
                    let timer: &driver_scope::HrTimer<'_, Metered<P>> = timer;
                    timer.start(10.micros()).unwrap();
                }
            }
            Restart::No
        })?;
        assert!(own.get().is_none());
        assert!(own.set(timer).is_ok());
        assert!(own.set(timer).is_err());
        timer.start(0.nanos())?;
        until(scope, || fired.load(SeqCst) == 3);
        Ok(())
    });
}

#[test]
fn a_once_can_be_in_a_static() {
    static ONCE: Once<Lock<u32, Host>> = Once::new();
    static PLAIN: Once<u32> = Once::new();
    assert!(ONCE.get().is_none());
    assert!(ONCE.set(Lock::new(3)).is_ok());
    *ONCE.get().unwrap().lock() += 1;
    assert_eq!(*ONCE.get().unwrap().lock(), 4);
    assert_eq!(format!("{PLAIN:?}"), "Once(None)");
    assert_eq!(PLAIN.set(5), Ok(()));
    assert_eq!(PLAIN.set(6), Err(6));
    assert_eq!(format!("{PLAIN:?}"), "Once(Some(5))");
}

#[test]
fn a_lock_of_one_platform_is_as_good_on_another() {
    run::<Foreign>(|scope| {
        let lock = scope.own(Lock::<_, Host>::new(0_u32))?;
        let timer = scope.hrtimer(move |_| {
            *lock.lock() += 1;
            Restart::No
        })?;
        timer.start(0.nanos())?;
        until(scope, || *lock.lock() == 1);
        Ok(())
    });
}
