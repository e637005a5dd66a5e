//! What readers rely on, of each kind of fences: of a reader that stores, passes its side and then loads, and a waiter that stores, passes the other side
//! and then loads, one sees what the other has stored.

use std::hint::spin_loop;
use std::println;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::*;

/// Without a barrier in the reader's thread, both miss the other's store in some of so many rounds, even on a busy machine with two processors.
const ROUNDS: u32 = 200_000;
/// Where they wait for a processor in each round, there are fewer: so many at least, and as many as come to pass in this time.
const FEW: u32 = 100;
const PATIENCE: Duration = Duration::from_secs(10);
/// There are no more rounds.
const OVER: u32 = u32::MAX;

/// Lines of their own, so that a store can wait in its processor for the line while the load goes ahead.
#[derive(Default)]
#[repr(align(128))]
struct Word(AtomicU32);

impl Word {
    /// Waits for the number of a round, or for the end, and says which: without a pause, since what is looked for comes of a close race, but not for ever,
    /// since the other may wait for this processor.
    fn wait_for(&self, round: u32) -> bool {
        let mut looks = 0_u32;
        loop {
            let seen = self.0.load(SeqCst);
            if seen == round || seen == OVER {
                return seen == round;
            }
            looks = looks.wrapping_add(1);
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
    // One after the other: each needs two processors at the same time.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
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
                if !begun.wait_for(round) {
                    return;
                }
                reader.0.store(round, Relaxed);
                threads.light();
                read.0.store(waiter.0.load(Relaxed), Relaxed);
                ended.0.store(round, SeqCst);
            }
        });
        let mut missed = 0;
        let begin = Instant::now();
        for round in 1..=ROUNDS {
            if round > FEW && begin.elapsed() > PATIENCE {
                println!("{round} rounds of {ROUNDS}");
                begun.0.store(OVER, SeqCst);
                break;
            }
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
