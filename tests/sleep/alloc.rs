//! No allocation after registration.

use std::alloc::{GlobalAlloc, Layout, System};

use super::*;

thread_local! {
    /// How often this thread has asked for memory.
    static ASKED: Cell<usize> = const { Cell::new(0) };
    /// What that was at its first wake.
    static BEFORE: Cell<Option<usize>> = const { Cell::new(None) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: the system's allocator, with a count.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread may allocate when its thread-locals have gone.
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

pub fn nothing_is_allocated_after_registration<P: TestPlatform>() {
    run::<P>(|scope| {
        let sleeper = scope.sleeper(4)?;
        let spies = [Spy::new(), Spy::new()];
        // The thread of the callbacks counts, too, in the waker that it calls.
        let elsewhere = AtomicUsize::new(0);
        for spy in &spies {
            // SAFETY: calmed below.
            unsafe {
                spy.set_hook(|act| {
                    if act == Act::Wake {
                        let before = BEFORE.get().unwrap_or(ASKED.get());
                        elsewhere.fetch_add(ASKED.get() - before, SeqCst);
                        BEFORE.set(Some(before));
                    }
                });
            }
        }
        let before = ASKED.get();
        for round in 1..=20 {
            let mut sleep = sleeper.sleep(200.micros());
            let mut limited = sleeper.timeout(NEVER, sleeper.sleep(NEVER));
            let _ = (poll(&mut sleep, &spies[0]), poll(&mut sleep, &spies[1]));
            assert_eq!(poll(&mut limited, &spies[0]), Pending);
            drop(limited);
            // (Woken once, unless a poll came late.)
            while poll(&mut sleep, &spies[1]) != Ready(Ok(())) {
                scope.sleep(500.micros());
            }
            let mut late = sleeper.sleep(100.micros());
            if poll(&mut late, &spies[1]) == Pending {
                let wakes = spies[1].wakes();
                while spies[1].wakes() == wakes && poll(&mut late, &spies[1]) == Pending {
                    scope.sleep(200.micros());
                }
            }
            assert_eq!(ASKED.get(), before, "in round {round}");
        }
        assert_eq!(elsewhere.load(SeqCst), 0);
        spies.iter().for_each(|spy| spy.calm());
        Ok(())
    });
}
