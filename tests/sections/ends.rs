//! Sections at the very end of a thread.

use super::*;

on_every_strategy!(
    a_guard_at_the_very_end_is_still_ones_own,
    a_thread_may_hold_a_guard_until_its_very_end,
    a_thread_may_enter_at_its_very_end,
);

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

/// What a thread is doing at its end.
#[derive(Default)]
struct Ending {
    inside: AtomicBool,
    leave: AtomicBool,
}

/// Has a thread enter a value at its end, whatever else has ended by then, and checks that it is waited for.
fn is_waited_for_at_the_end<P: TestPlatform>(
    enters: impl FnOnce(&'static Noted<P>) + Send + 'static,
) {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let value = for_ever(&platform);
    let ending: &'static Ending = leaked_on_purpose(Ending::default());
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
            let kept: &'static Kept<P> = leaked_on_purpose(Kept(Cell::new(None)));
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
        let ending: &'static Ending = leaked_on_purpose(Ending::default());
        let note = log.clone();
        let thread = thread::spawn(move || {
            if !keeper_first {
                drop(value.try_access());
            }
            // Makes the keeper. The guard is kept in another cell, so that the order is what it should be.
            let kept: &'static Kept<P> = leaked_on_purpose(Kept(Cell::new(None)));
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
