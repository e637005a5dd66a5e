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

use common::{wait_until, Metered, Note, TestPlatform};
use driver_scope::{
    Binding, Driver, DriverScope, Error, Plain, Platform, ReadSection, Revocable, RevocableGuard,
    Units,
};

mod common;

on_every_strategy!(
    guards_nest_and_go_in_any_order,
    two_guards_of_one_value_both_count,
    a_forgotten_guard_marks_nobody_else,
    a_forgotten_guard_is_of_no_value_that_comes_later,
    a_guard_at_the_very_end_is_still_ones_own,
    a_thread_may_hold_a_guard_until_its_very_end,
    a_thread_may_enter_at_its_very_end,
    nothing_is_bound_inside_a_section,
    a_section_covers_many_values,
    a_section_holds_off_every_revoke,
    sections_nest_with_each_other_and_with_guards,
    a_section_that_begins_later_is_not_waited_for,
    a_section_of_ones_own_is_a_deadlock,
    a_forgotten_section_holds_off_every_revoke,
    sections_of_another_platform,
    cells_are_used_again,
);

on_every_platform!(
    guards_nest_and_go_in_any_order,
    a_section_holds_off_every_revoke,
    sections_of_another_platform,
);

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

/// Calls a function at the end of its thread.
struct AtEnd(RefCell<Option<Box<dyn FnOnce()>>>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}

thread_local! {
    static AT_END: AtEnd = const { AtEnd(RefCell::new(None)) };
}

fn at_end(f: impl FnOnce() + 'static) {
    AT_END.with(|at_end| *at_end.0.borrow_mut() = Some(Box::new(f)));
}

/// A value that lives as long as the process, for threads that end.
fn for_ever<P: TestPlatform>(platform: &Metered<P>) -> &'static Noted<P> {
    Box::leak(Box::new(noted(platform, "value")))
}

/// What a thread is doing at its end.
#[derive(Default)]
struct Ending {
    inside: AtomicBool,
    leave: AtomicBool,
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

/// Has a thread enter a value at its end, whatever else has ended by then, and checks that it is waited for.
fn is_waited_for_at_the_end<P: TestPlatform>(
    enters: impl FnOnce(&'static Noted<P>) + Send + 'static,
) {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let value = for_ever(&platform);
    let ending: &'static Ending = Box::leak(Box::default());
    let note = log.clone();
    let thread = thread::spawn(move || {
        let at_the_end = move || {
            let guard = value.try_access().expect("not revoked");
            ending.inside.store(true, SeqCst);
            wait_until(|| ending.leave.load(SeqCst));
            note.add("the reader leaves");
            drop(guard);
        };
        at_end(at_the_end);
        enters(value);
    });
    wait_until(|| ending.inside.load(SeqCst));
    // If the cells were free for others while they are in use, others would have them now.
    take_all_cells(&platform);
    platform.lend_sleep(|cx| {
        assert_eq!(value.revoke_within(cx, 5.millis()), Err(Error::TimedOut));
        ending.leave.store(true, SeqCst);
        assert_eq!(value.revoke_within(cx, PLENTY), Ok(true));
    });
    thread.join().unwrap();
    let lines = log.lines();
    assert_eq!(
        lines[lines.len() - 2..],
        ["the reader leaves", "drop value"]
    );
}

/// Whichever way thread-locals are destroyed, in one of the two the crate's own goes first.
fn a_thread_may_enter_at_its_very_end<P: TestPlatform>() {
    // The first section makes the crate's thread-local, after or before this test's.
    is_waited_for_at_the_end::<P>(|value| drop(value.try_access()));
    is_waited_for_at_the_end::<P>(|_| ());
    let platform = Metered::<P>::fresh();
    let (first, log) = (for_ever(&platform), platform.log());
    thread::spawn(move || {
        drop(first.try_access());
        at_end(move || first.try_access().unwrap().log().add("at the end"));
    })
    .join()
    .unwrap();
    assert_eq!(log.count("at the end"), 1);
    platform.lend_sleep(|cx| assert_eq!(first.revoke_within(cx, PLENTY), Ok(true)));
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

/// A thread-local's destructor, whenever it runs, does not wait for a guard of its own thread.
fn a_guard_at_the_very_end_is_still_ones_own<P: TestPlatform>() {
    for keeper_first in [true, false] {
        let platform = Metered::<P>::fresh();
        let value = for_ever(&platform);
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            if !keeper_first {
                drop(value.try_access());
            }
            let kept: &'static Kept<P> = Box::leak(Box::new(Kept(Cell::new(None))));
            at_end(move || {
                let found = platform.lend_sleep(|cx| value.revoke_within(cx, 5.millis()));
                drop(kept.0.take());
                let after = platform.lend_sleep(|cx| value.revoke_within(cx, PLENTY));
                tell.send((found, after)).unwrap();
            });
            kept.0.set(value.try_access());
        });
        let (found, after) = told.recv().unwrap();
        thread.join().unwrap();
        let expected = if P::TELLS {
            Error::Deadlock
        } else {
            Error::TimedOut
        };
        assert_eq!((found, after), (Err(expected), Ok(true)));
    }
}

/// A guard that a thread-local keeps is left by its destructor, before or after the crate's own.
fn a_thread_may_hold_a_guard_until_its_very_end<P: TestPlatform>() {
    for keeper_first in [true, false] {
        let platform = Metered::<P>::fresh();
        let log = platform.log();
        let value = for_ever(&platform);
        let ending: &'static Ending = Box::leak(Box::default());
        let note = log.clone();
        let thread = thread::spawn(move || {
            if !keeper_first {
                drop(value.try_access());
            }
            // Makes the keeper. The guard is kept in another cell, so that the order is what it should be.
            let kept: &'static Kept<P> = Box::leak(Box::new(Kept(Cell::new(None))));
            at_end(move || {
                ending.inside.store(true, SeqCst);
                wait_until(|| ending.leave.load(SeqCst));
                note.add("the reader leaves");
                drop(kept.0.take());
            });
            kept.0.set(value.try_access());
        });
        wait_until(|| ending.inside.load(SeqCst));
        take_all_cells(&platform);
        platform.lend_sleep(|cx| {
            // It is there, for one who looks. (Elsewhere than on Linux it may look left behind: the thread's cells may have ended first.)
            let early = value.revoke_within(cx, 5.millis());
            assert!(
                matches!(early, Err(Error::TimedOut))
                    || cfg!(not(target_os = "linux")) && early == Err(Error::Leaked),
                "{early:?}"
            );
            assert_eq!(log.count("drop value"), 0);
            ending.leave.store(true, SeqCst);
            thread.join().unwrap();
            assert_eq!(value.revoke_within(cx, PLENTY), Ok(true));
        });
        let lines = log.lines();
        assert_eq!(
            lines[lines.len() - 2..],
            ["the reader leaves", "drop value"]
        );
    }
}

struct Kept<P: TestPlatform>(Cell<Option<RevocableGuard<'static, Note, Metered<P>>>>);

/// Its probe could fail, and the end of that would wait for the section.
fn nothing_is_bound_inside_a_section<P: TestPlatform>() {
    struct Fails;
    impl<P: Platform> Driver<P> for Fails {
        type Device = Note;
        type Data<'drv> = ();
        type Error = Error;
        fn probe<'drv>(_: &'drv Note, scope: &DriverScope<'drv, P>) -> Result<(), Error> {
            scope.devres::<Plain<u32>>(7)?;
            Err(Error::NoDevice)
        }
    }

    let platform = Metered::<P>::fresh();
    let bind = || {
        let device = platform.log().note("device");
        let bound =
            platform.lend_sleep(|cx| Binding::<Fails, _>::bind(platform.clone(), device, cx));
        bound.expect_err("it fails").error
    };
    assert_eq!(bind(), Error::NoDevice);
    if P::TELLS {
        let section = ReadSection::enter(&platform);
        assert_eq!(bind(), Error::Deadlock);
        drop(section);
        // Inside a section on something else it is no matter.
        let value = noted(&platform, "value");
        let _guard = value.try_access();
        assert_eq!(bind(), Error::NoDevice);
    }
    assert_eq!(
        platform.log().count("drop device"),
        if P::TELLS { 3 } else { 1 }
    );
}

fn a_section_covers_many_values<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let values: Vec<_> = (0..100).map(|_| noted(&platform, "value")).collect();
    platform.lend_sleep(|cx| assert_eq!(values[7].revoke(cx), Ok(true)));
    let section = ReadSection::enter(&platform);
    let there = values
        .iter()
        .filter_map(|value| value.try_access_with_guard(&section));
    assert_eq!(there.inspect(|note| note.log().add("access")).count(), 99);
    assert!(values[7].try_access_with_guard(&section).is_none());
    drop(section);
    platform.lend_sleep(|cx| {
        for value in &values {
            value.revoke_within(cx, PLENTY).unwrap();
        }
    });
    assert_eq!(platform.log().count("access"), 99);
    assert_eq!(platform.log().count("drop value"), 100);
}

fn a_section_holds_off_every_revoke<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let values = [noted(&platform, "value"), noted(&platform, "value")];
    thread::scope(|threads| {
        let section = ReadSection::enter(&platform);
        // One that is used under it, and one that is not.
        let note = values[0].try_access_with_guard(&section).unwrap();
        let revokers: Vec<_> = values
            .iter()
            .map(|value| {
                let platform = &platform;
                threads.spawn(move || platform.lend_sleep(|cx| value.revoke(cx)))
            })
            .collect();
        wait_until(|| values.iter().all(Revocable::is_revoked));
        assert!(values[0].try_access_with_guard(&section).is_none());
        assert!(values[1].try_access_with_guard(&section).is_none());
        thread::sleep(A_WHILE);
        note.log().add("the reader leaves");
        drop(section);
        for revoker in revokers {
            assert_eq!(revoker.join().unwrap(), Ok(true));
        }
    });
    let dropped = "drop value";
    assert_eq!(log.lines(), ["the reader leaves", dropped, dropped]);
}

fn sections_nest_with_each_other_and_with_guards<P: TestPlatform>() {
    const DEPTH: usize = 12;
    let platform = Metered::<P>::fresh();
    let values: Vec<_> = (0..DEPTH).map(|_| noted(&platform, "value")).collect();
    let mut sections: Vec<_> = (0..DEPTH)
        .map(|_| Some(ReadSection::enter(&platform)))
        .collect();
    let mut guards: Vec<_> = values.iter().map(|value| value.try_access()).collect();
    for i in 0..DEPTH {
        drop(sections[(i * 5 + 2) % DEPTH].take());
        // The one whose guard goes now waits for the sections as well.
        drop(guards[(i * 7 + 3) % DEPTH].take());
        let value = &values[(i * 7 + 3) % DEPTH];
        let outcome = if i < DEPTH - 1 {
            Err(Error::TimedOut)
        } else {
            Ok(true)
        };
        let patience = if i < DEPTH - 1 {
            Duration::ZERO
        } else {
            PLENTY
        };
        assert_eq!(revoke_elsewhere(&platform, value, patience), outcome);
    }
    assert_eq!(platform.log().count("drop value"), 1);
}

/// Whenever somebody looks, there is a section; but each time it is another, which began after the value was closed.
fn a_section_that_begins_later_is_not_waited_for<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let value = noted(&platform, "value");
    let (asked, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (ask, answered) = (Arc::clone(&asked), Arc::clone(&done));
    *platform.meter().at_pause.lock().unwrap() = Some(Box::new(move || {
        let number = ask.fetch_add(1, SeqCst) + 1;
        wait_until(|| answered.load(SeqCst) > number);
    }));
    const END: usize = usize::MAX / 2;
    thread::scope(|threads| {
        threads.spawn(|| loop {
            let section = ReadSection::enter(&platform);
            let number = done.fetch_add(1, SeqCst) + 1;
            wait_until(|| asked.load(SeqCst) >= number);
            drop(section);
            if asked.load(SeqCst) >= END {
                break;
            }
        });
        // The first of them.
        wait_until(|| done.load(SeqCst) == 1);
        asked.store(1, SeqCst);
        wait_until(|| done.load(SeqCst) == 2);
        let outcome = platform.lend_sleep(|cx| {
            if P::TELLS {
                value.revoke_within(cx, 5.secs())
            } else {
                // A count does not tell one from the other.
                value.revoke_within(cx, 20.millis())
            }
        });
        asked.store(END, SeqCst);
        let expected = if P::TELLS {
            Ok(true)
        } else {
            Err(Error::TimedOut)
        };
        assert_eq!(outcome, expected);
    });
}

fn a_section_of_ones_own_is_a_deadlock<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let value = noted(&platform, "value");
    platform.lend_sleep(|cx| {
        let section = ReadSection::enter(&platform);
        if P::TELLS {
            assert_eq!(value.revoke(cx), Err(Error::Deadlock));
            assert!(value.try_access_with_guard(&section).is_some());
        } else {
            assert_eq!(value.revoke_within(cx, 5.millis()), Err(Error::TimedOut));
            assert!(value.try_access_with_guard(&section).is_none());
        }
        drop(section);
        // A guard of something else does not matter.
        let other = noted(&platform, "other");
        let _guard = other.try_access().unwrap();
        assert_eq!(value.revoke_within(cx, PLENTY), Ok(true));
    });
}

/// In a process of its own: it holds off everybody's.
fn a_forgotten_section_holds_off_every_revoke<P: TestPlatform>() {
    if !in_a_child(
        std::any::type_name::<P>(),
        "a_forgotten_section_holds_off_every_revoke",
    ) {
        return;
    }
    let platform = Metered::<P>::fresh();
    let value = noted(&platform, "value");
    let (forgotten, end) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|threads| {
        let reader = threads.spawn(|| {
            mem::forget(ReadSection::enter(&platform));
            forgotten.store(true, SeqCst);
            wait_until(|| end.load(SeqCst));
        });
        wait_until(|| forgotten.load(SeqCst));
        platform.lend_sleep(|cx| {
            assert_eq!(value.revoke_within(cx, 5.millis()), Err(Error::TimedOut));
            end.store(true, SeqCst);
            reader.join().unwrap();
            let expected = if P::TELLS {
                Error::Leaked
            } else {
                Error::TimedOut
            };
            assert_eq!(value.revoke_within(cx, 5.millis()), Err(expected));
        });
    });
    assert_eq!(platform.log().count("drop value"), 0);
    drop(value);
    assert_eq!(platform.log().count("drop value"), 1);
}

/// Whether this is a process for the test alone; if not, has one run it.
fn in_a_child(platform: &str, test: &str) -> bool {
    const CHILD: &str = "DRIVER_SCOPE_SECTIONS_CHILD";
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let strategy = match platform {
        name if name.contains("Counted") => "counted",
        name if name.contains("Fenced") => "fenced",
        _ => "membarrier",
    };
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{strategy}::{test}")])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
    false
}

fn sections_of_another_platform<P: TestPlatform>() {
    let (here, there) = (Metered::<P>::fresh(), Metered::<P>::fresh());
    let value = noted(&here, "value");
    let section = ReadSection::enter(&there);
    if P::OWN_SECTIONS {
        let refused = catch_unwind(AssertUnwindSafe(|| {
            value.try_access_with_guard(&section).is_some()
        }));
        assert!(
            refused.is_err(),
            "let in by a section that protects nothing"
        );
        assert_eq!(revoke_elsewhere(&here, &value, PLENTY), Ok(true));
    } else {
        let note = value.try_access_with_guard(&section).unwrap();
        let early = revoke_elsewhere(&here, &value, 5.millis());
        assert_eq!(early, Err(Error::TimedOut));
        note.log().add("access");
        drop(section);
        assert_eq!(revoke_elsewhere(&here, &value, PLENTY), Ok(true));
    }
    // A clone is the same platform.
    let value = noted(&here, "value");
    let clone = here.clone();
    let section = ReadSection::enter(&clone);
    assert!(value.try_access_with_guard(&section).is_some());
}

fn cells_are_used_again<P: TestPlatform>() {
    const THREADS: usize = 500;
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
