//! One bug each time it is run, by name. `cargo xtask sanitize` runs it first: a sanitizer that does not report these is blind, and its silence about the
//! crate says nothing.

use std::alloc::{alloc, dealloc, Layout};
use std::cell::UnsafeCell;
use std::env;
use std::hint::black_box;
use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

fn main() {
    match env::args().nth(1).as_deref() {
        Some("nothing") => {}
        Some("use-after-free") => use_after_free(),
        Some("use-after-return") => use_after_return(),
        Some("past-the-end") => past_the_end(),
        Some("uninitialised") => uninitialised(),
        Some("race") => race(),
        Some("leak") => leak(),
        other => panic!("there is no such bug: {other:?}"),
    }
}

/// What a callback would do that outlives what it borrowed from the heap.
fn use_after_free() {
    let gone = black_box(Box::into_raw(Box::new(7_u64)));
    // SAFETY: from a box, once.
    drop(unsafe { Box::from_raw(gone) });
    // SAFETY: none. This is the bug.
    black_box(unsafe { gone.read_volatile() });
}

/// What a callback would do that outlives the `enter` whose stack it borrowed from.
fn use_after_return() {
    #[inline(never)]
    fn local() -> *const u64 {
        let mut local = [7_u64; 16];
        black_box(&mut local);
        black_box(&raw const local[3])
    }
    let gone = local();
    // SAFETY: none. This is the bug.
    black_box(unsafe { gone.read_volatile() });
}

/// What an access beyond a mapping, or a part of the arena, would do.
fn past_the_end() {
    let bytes = black_box(vec![7_u8; 24]);
    // SAFETY: none. This is the bug.
    black_box(unsafe { bytes.as_ptr().add(24).read_volatile() });
}

/// What a callback would do whose captures were not written yet.
fn uninitialised() {
    let layout = Layout::new::<u64>();
    // SAFETY: not of size zero.
    let block = unsafe { alloc(layout) };
    assert!(!block.is_null());
    // SAFETY: none. This is the bug: the block is as it was allocated.
    let value = unsafe { black_box(block.cast::<u64>()).read_volatile() };
    if value == 0x1234_5678 {
        println!("what a coincidence");
    }
    // SAFETY: from `alloc` with this layout.
    unsafe { dealloc(block, layout) };
}

/// What two contexts would do to data that nothing but a relaxed mark passes from one to the other.
fn race() {
    struct Shared(UnsafeCell<u64>, AtomicU32);
    // SAFETY: none. This is the bug.
    unsafe impl Sync for Shared {}
    impl Shared {
        // A method, so that closures take the whole along.
        fn value(&self) -> *mut u64 {
            self.0.get()
        }
    }

    let shared = &Shared(UnsafeCell::new(0), AtomicU32::new(0));
    thread::scope(|threads| {
        let wait_for = |mark| {
            // Relaxed: it should be an Acquire.
            while shared.1.load(Ordering::Relaxed) != mark {
                thread::yield_now();
            }
        };
        threads.spawn(move || {
            // Not before the spawn has returned, which would order the two by what it shares with the thread.
            wait_for(1);
            // SAFETY: none, as above.
            unsafe { shared.value().write(7) };
            // Relaxed: it should be a Release.
            shared.1.store(2, Ordering::Relaxed);
        });
        shared.1.store(1, Ordering::Relaxed);
        wait_for(2);
        // SAFETY: none, as above.
        black_box(unsafe { shared.value().read() });
    });
}

/// What a teardown would do that forgets a block.
#[inline(never)]
fn leak() {
    mem::forget(black_box(Box::new([7_u64; 8])));
    // What the registers and the stack still have of it is overwritten.
    overwrite();
    thread::spawn(overwrite).join().unwrap();
}

#[inline(never)]
fn overwrite() {
    black_box([0_u64; 512]);
}
