//! Read sections: many at a time, in any order, over many objects, at the very end of a thread; and what they cost in memory.
//!
//! Seen to fail with: further sections not noted, the cells of a thread that ends not given back, given back although a section is in them,
//! used on by the thread that gave them back, a section on everything not noted or not looked at, sections of other platforms let through.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::mem;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{mpsc, Arc, Barrier};
use std::thread;
use std::time::Duration;

use common::{leaked_on_purpose, rounds, wait_until, Metered, Note, TestPlatform};
use driver_scope::{
    Binding, Driver, DriverScope, Error, Plain, Platform, ReadSection, Revocable, RevocableGuard,
    Units,
};

mod common;

#[path = "sections/ends.rs"]
mod ends;
#[path = "sections/everything.rs"]
mod everything;

on_every_strategy!(
    guards_nest_and_go_in_any_order,
    two_guards_of_one_value_both_count,
    a_forgotten_guard_marks_nobody_else,
    a_forgotten_guard_is_of_no_value_that_comes_later,
    cells_are_used_again,
);

on_every_platform!(guards_nest_and_go_in_any_order,);

const A_WHILE: Duration = Duration::from_millis(10);

/// Counts what is aligned as the cells are, and not given back.
struct Counter;

static ALIGNED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's.
unsafe impl GlobalAlloc for Counter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() >= 128 {
            ALIGNED.fetch_add(1, SeqCst);
        }
        // SAFETY: (both) the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.align() >= 128 {
            ALIGNED.fetch_sub(1, SeqCst);
        }
        // SAFETY: see `alloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTER: Counter = Counter;

type Noted<P> = Revocable<Note, Metered<P>>;

fn noted<P: TestPlatform>(platform: &Metered<P>, name: &'static str) -> Noted<P> {
    Revocable::new(platform.clone(), platform.log().note(name))
}

/// Revokes on another thread, with as much patience as it takes or with none.
fn revoke_elsewhere<P: TestPlatform>(
    platform: &Metered<P>,
    value: &Noted<P>,
    patience: Duration,
) -> Result<bool, Error> {
    thread::scope(|threads| {
        threads
            .spawn(|| platform.lend_sleep(|cx| value.revoke_within(cx, patience)))
            .join()
            .unwrap()
    })
}

const PLENTY: Duration = Duration::from_secs(60);

fn guards_nest_and_go_in_any_order<P: TestPlatform>() {
    // More than fit into one set of cells, or into two.
    const DEPTH: usize = 20;
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    // Steps that have no common factor with the number: each takes the guards in another order.
    for step in [1, 3, 7, 13, 19] {
        let values: Vec<_> = (0..DEPTH).map(|_| noted(&platform, "value")).collect();
        let mut guards: Vec<_> = values.iter().map(|value| value.try_access()).collect();
        assert!(guards.iter().all(Option::is_some));
        let dropped = log.count("drop value");
        for i in 0..DEPTH {
            let at = (i + 1) * step % DEPTH;
            let value = &values[at];
            let early = revoke_elsewhere(&platform, value, Duration::ZERO);
            assert_eq!(early, Err(Error::TimedOut), "{at} of step {step}");
            assert_eq!(log.count("drop value"), dropped + i);
            drop(guards[at].take().unwrap());
            assert_eq!(revoke_elsewhere(&platform, value, PLENTY), Ok(true));
            assert_eq!(log.count("drop value"), dropped + i + 1);
        }
    }
}

fn two_guards_of_one_value_both_count<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    for first in [0, 1] {
        let value = noted(&platform, "value");
        let mut guards = [value.try_access(), value.try_access()];
        for at in [first, 1 - first] {
            let early = revoke_elsewhere(&platform, &value, Duration::ZERO);
            assert_eq!(early, Err(Error::TimedOut));
            drop(guards[at].take().unwrap());
        }
        assert_eq!(revoke_elsewhere(&platform, &value, PLENTY), Ok(true));
    }
}

/// A value that lives as long as the process, for threads that end.
fn for_ever<P: TestPlatform>(platform: &Metered<P>) -> &'static Noted<P> {
    leaked_on_purpose(noted(platform, "value"))
}

/// Many threads at once that enter and end: they take whatever cells are free. Who is inside then is not taken for somebody who has
/// ended.
fn take_all_cells<P: TestPlatform>(platform: &Metered<P>) {
    const THREADS: usize = 24;
    let values: [_; THREADS] = std::array::from_fn(|_| noted(platform, "other"));
    let all = Barrier::new(THREADS + 1);
    thread::scope(|threads| {
        let ending = values.each_ref().map(|value| {
            threads.spawn(|| {
                let guard = value.try_access().unwrap();
                all.wait();
                // Looked at, here.
                all.wait();
                drop(guard);
            })
        });
        all.wait();
        let looked_at = values
            .each_ref()
            .map(|value| platform.lend_sleep(|cx| value.revoke_within(cx, Duration::ZERO)));
        all.wait();
        assert_eq!(looked_at, [Err(Error::TimedOut); THREADS]);
        for thread in ending {
            thread.join().unwrap();
        }
    });
}

fn a_forgotten_guard_marks_nobody_else<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let value = for_ever(&platform);
    thread::spawn(move || mem::forget(value.try_access()))
        .join()
        .unwrap();
    take_all_cells(&platform);
    let other = noted(&platform, "other");
    platform.lend_sleep(|cx| {
        // With patience where it is told: sections of other tests hold it off as well.
        let (patience, expected) = if P::TELLS {
            (PLENTY, Error::Leaked)
        } else {
            (5.millis(), Error::TimedOut)
        };
        assert_eq!(value.revoke_within(cx, patience), Err(expected));
        assert_eq!(other.revoke_within(cx, PLENTY), Ok(true));
    });
}

/// Not even of one that lies where the other was.
fn a_forgotten_guard_is_of_no_value_that_comes_later<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    // On a thread of its own, which is inside a section from now on.
    thread::scope(|threads| {
        threads.spawn(|| {
            let mut place = Some(noted(&platform, "first"));
            mem::forget(place.as_ref().unwrap().try_access());
            let was = &raw const place;
            // The borrow of the guard is over.
            place = None;
            assert_eq!(log.count("drop first"), 1);
            place.get_or_insert_with(|| noted(&platform, "second"));
            assert_eq!(was, &raw const place);
            let second = place.as_ref().unwrap();
            platform.lend_sleep(|cx| assert_eq!(second.revoke_within(cx, PLENTY), Ok(true)));
            assert_eq!(log.count("drop second"), 1);
        });
    });
}

fn cells_are_used_again<P: TestPlatform>() {
    const THREADS: usize = rounds(500, 100);
    let platform = Metered::<P>::fresh();
    let value = noted(&platform, "value");
    let before = ALIGNED.load(SeqCst);
    for _ in 0..THREADS {
        thread::scope(|threads| {
            threads
                .spawn(|| {
                    // More than one set of cells for each.
                    let guards: [_; 12] = std::array::from_fn(|_| value.try_access());
                    assert!(guards.iter().all(Option::is_some));
                })
                .join()
                .unwrap();
        });
    }
    let now = ALIGNED.load(SeqCst);
    // Other tests run meanwhile, and need some for themselves.
    assert!(now < before + THREADS / 2, "{before} blocks, then {now}");
}
