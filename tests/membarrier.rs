//! That membarrier(2) is called, and does what readers without fences rely on: of a reader that stores and then loads, and a waiter that stores, calls
//! it and then loads, one sees what the other has stored.

#![cfg(all(target_os = "linux", not(miri)))]

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed, Ordering::SeqCst};
use std::thread;

use driver_scope::platform::{Fences, Membarrier};

/// Without the barrier in the reader's thread, both miss the other's store in some of so many rounds, even on a busy machine with two processors.
const ROUNDS: u32 = 50_000;

/// Lines of their own, so that a store can wait in its processor for the line while the load goes ahead.
#[derive(Default)]
#[repr(align(128))]
struct Word(AtomicU32);

impl Word {
    /// Waits for the number of a round: without a pause, since what is looked for comes of a close race, but not for ever, since the other may wait for
    /// this processor.
    fn wait_for(&self, round: u32) {
        for looks in 1_u32.. {
            if self.0.load(SeqCst) == round {
                return;
            }
            if looks % 1024 == 0 {
                thread::yield_now();
            }
            spin_loop();
        }
    }
}

#[test]
fn one_sees_the_other() {
    if thread::available_parallelism().map_or(1, |n| n.get()) < 2 {
        let why = "on one processor stores are seen in their order";
        assert!(std::env::var_os("CI").is_none(), "cannot be checked: {why}");
        println!("NOT CHECKED: {why}");
        return;
    }
    // SAFETY: this and the fences below are for `Threads` alone since it relies on them. Here nothing relies on what is done by hand: they touch no memory.
    let ready = unsafe { Membarrier::ready() };
    assert!(ready, "Linux has had it since 4.14");
    let (reader, waiter, begun, ended) = (
        Word::default(),
        Word::default(),
        Word::default(),
        Word::default(),
    );
    let read = Word::default();
    let missed = thread::scope(|threads| {
        threads.spawn(|| {
            for round in 1..=ROUNDS {
                begun.wait_for(round);
                reader.0.store(round, Relaxed);
                // SAFETY: as for `ready`, which has said yes.
                unsafe { Membarrier::light() };
                read.0.store(waiter.0.load(Relaxed), Relaxed);
                ended.0.store(round, SeqCst);
            }
        });
        let mut missed = 0;
        for round in 1..=ROUNDS {
            begun.0.store(round, SeqCst);
            waiter.0.store(round, Relaxed);
            // SAFETY: as above.
            unsafe { Membarrier::heavy() };
            let seen = reader.0.load(Relaxed);
            ended.wait_for(round);
            if seen != round && read.0.load(Relaxed) != round {
                missed += 1;
            }
        }
        missed
    });
    assert_eq!(missed, 0);
}
