//! Registers at an address: what a bus of such makes of each access, with barriers that tell when they are called. (It needs no feature: this is built without.)
//!
//! Seen to fail with: each barrier left out, on the other side of its access, and beside the relaxed one.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ptr::NonNull;

use driver_scope::platform::{Barriers, Host, MemoryBus};
use driver_scope::{enter, registers, Error};

registers! {
    Regs: 0x20 {
        0x00 => rw COUNT: u32,
        0x08 => rw WIDE: u64,
        0x10 => block PARTS: [Part; 2; stride 8],
    }

    Part: 0x8 {
        0x04 => rw ONE: u16,
    }
}

const WORDS: usize = 4;

thread_local! {
    /// A device of words, on the thread of each test.
    static DEVICE: UnsafeCell<[u64; WORDS]> = const { UnsafeCell::new([0; WORDS]) };
    static MAPPED: Cell<bool> = const { Cell::new(false) };
    static CALLED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn device() -> NonNull<u8> {
    DEVICE.with(|device| NonNull::new(device.get()).unwrap().cast())
}

/// What the first register is at this moment.
fn count() -> u32 {
    // SAFETY: a word of this thread's device, aligned.
    unsafe { device().cast().read_volatile() }
}

fn called() -> Vec<String> {
    CALLED.take()
}

/// They order nothing, and there is but one thread. They write down when they are called, and that of reads changes what a later read would find.
enum Noting {}

// SAFETY: the device is memory, which no other thread accesses; a call that the compiler cannot see through holds it back.
unsafe impl Barriers for Noting {
    fn write_barrier() {
        CALLED.with_borrow_mut(|called| called.push(format!("write, {} before", count())));
    }

    fn read_barrier() {
        let before = count();
        CALLED.with_borrow_mut(|called| called.push(format!("read, {before} before")));
        // SAFETY: as in `count`.
        unsafe { device().cast().write_volatile(before + 100) };
    }
}

struct Memory;

/// What is mapped lies on the thread that maps it, which alone uses it and unmaps it.
struct Mapping(usize);

impl Drop for Mapping {
    fn drop(&mut self) {
        MAPPED.set(false);
    }
}

// SAFETY: a thread's own words stay where they are for as long as it runs, and are aligned to 8 bytes; each test ends its scope on the thread that made it, and hands no handle to
// another, so nothing races; `MAPPED` admits one mapping at a time.
unsafe impl MemoryBus for Memory {
    type Region = ();
    type Mapping = Mapping;
    type Barriers = Noting;

    fn map((): &()) -> Result<Mapping, Error> {
        if MAPPED.replace(true) {
            return Err(Error::AlreadyMapped);
        }
        Ok(Mapping(device().as_ptr().expose_provenance()))
    }

    fn size(_: &Mapping) -> usize {
        WORDS * 8
    }

    fn address(mapping: &Mapping) -> NonNull<u8> {
        NonNull::new(std::ptr::with_exposed_provenance_mut(mapping.0)).unwrap()
    }
}

#[test]
fn an_ordered_access_has_its_barrier_and_a_relaxed_one_has_none() {
    let host = Host::<Memory>::on_bus(|_| {}).unwrap();
    host.clone()
        .may_sleep(|cx| {
            enter(host, cx, &(), |bar, scope| {
                let regs = scope.map::<Regs>(bar)?;
                assert!(called().is_empty());

                // Before the write: the register is not written yet.
                regs.write(COUNT, 1);
                assert_eq!(called(), ["write, 0 before"]);
                assert_eq!(count(), 1);

                // After the read: what the barrier changes is not read.
                assert_eq!(regs.read(COUNT), 1);
                assert_eq!(called(), ["read, 1 before"]);
                assert_eq!(count(), 101);

                regs.write_relaxed(COUNT, 2);
                assert_eq!(regs.read_relaxed(COUNT), 2);
                assert!(called().is_empty());

                // Of other widths and in other places the same.
                regs.write(WIDE, 0x1122_3344_5566_7788);
                assert_eq!(regs.read(WIDE), 0x1122_3344_5566_7788);
                assert_eq!(called(), ["write, 2 before", "read, 2 before"]);
                let part = regs.block(PARTS.at(1)?);
                part.write(ONE, 5);
                assert_eq!(part.read_relaxed(ONE), 5);
                assert_eq!(called(), ["write, 102 before"]);
                Ok::<(), Error>(())
            })
        })
        .unwrap();
}
