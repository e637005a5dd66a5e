//! What readers rely on, of each kind of fences: of a reader that stores, passes its side and then loads, and a waiter that stores, passes the other side
//! and then loads, one sees what the other has stored.

use std::hint::spin_loop;
use std::println;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed, Ordering::SeqCst};

use super::*;

/// Without a barrier in the reader's thread, both miss the other's store in some of so many rounds, even on a busy machine with two processors.
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

fn one_sees_the_other<F: Fences>() {
    if thread::available_parallelism().map_or(1, |n| n.get()) < 2 {
        let why = "on one processor stores are seen in their order";
        assert!(std::env::var_os("CI").is_none(), "cannot be checked: {why}");
        println!("NOT CHECKED: {why}");
        return;
    }
    // SAFETY: for `Threads`, which is what is tested.
    assert!(unsafe { F::ready() }, "Linux has had it since 4.14");
    let threads = Threads::<F>(PhantomData);
    let (reader, waiter, begun, ended) = (
        Word::default(),
        Word::default(),
        Word::default(),
        Word::default(),
    );
    let read = Word::default();
    let missed = thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=ROUNDS {
                begun.wait_for(round);
                reader.0.store(round, Relaxed);
                threads.light();
                read.0.store(waiter.0.load(Relaxed), Relaxed);
                ended.0.store(round, SeqCst);
            }
        });
        let mut missed = 0;
        for round in 1..=ROUNDS {
            begun.0.store(round, SeqCst);
            waiter.0.store(round, Relaxed);
            threads.heavy();
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

#[test]
fn with_fences_one_sees_the_other() {
    one_sees_the_other::<Fenced>();
}

#[cfg(target_os = "linux")]
#[test]
fn with_membarrier_one_sees_the_other() {
    one_sees_the_other::<Membarrier>();
}
