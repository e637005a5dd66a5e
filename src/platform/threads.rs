//! Read sections of threads: cells for each, found by a thread-local pointer.

use std::boxed::Box;
use std::sync::OnceLock;
use std::{thread, thread_local};

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::ControlFlow;
use core::ptr;
use core::time::Duration;

use core::sync::atomic::{compiler_fence, fence, AtomicBool, AtomicPtr, Ordering};

use crate::sections::{Cells, Readers, Slots, Stuck, Which};

#[cfg(all(test, not(miri), not(loom)))]
mod tests;

/// How threads that read and threads that wait are ordered: [`Fenced`] or [`Membarrier`]. (Its methods are `unsafe` because anybody can
/// call them, and only [`Threads`] has reason to.)
///
/// # Safety
/// `light` and `heavy` keep promise 3 of [`Readers`]; `mine` is the thread's own pointer: `UNREGISTERED`, or what `set_mine` last set.
pub unsafe trait Fences: Send + Sync + 'static {
    /// Prepares; `false` if this does not work here.
    ///
    /// # Safety
    /// For [`Threads`] alone.
    #[doc(hidden)]
    unsafe fn ready() -> bool;
    /// The reader's side.
    ///
    /// # Safety
    /// For [`Threads`] alone.
    #[doc(hidden)]
    unsafe fn light();
    /// The side of who waits.
    ///
    /// # Safety
    /// For [`Threads`] alone.
    #[doc(hidden)]
    unsafe fn heavy();
    /// The thread's cells; [`UNREGISTERED`](Cells::unregistered) ones at first.
    ///
    /// # Safety
    /// For [`Threads`] alone.
    #[doc(hidden)]
    unsafe fn mine() -> *const Cells;
    /// Sets what `mine` returns.
    ///
    /// # Safety
    /// For [`Threads`] alone: `cells` are `UNREGISTERED`, or, after `ready` was `true`, those of a block of this thread.
    #[doc(hidden)]
    unsafe fn set_mine(cells: *const Cells);
}

/// What a thread has that has no cells.
static UNREGISTERED: Cells = Cells::unregistered();

thread_local! {
    // These have no destructor and a constant initialiser: usable until the very end of the thread, and found in one instruction.
    static MINE_FENCED: Cell<*const Cells> = const { Cell::new(&raw const UNREGISTERED) };
    #[cfg(target_os = "linux")]
    static MINE_MEMBARRIER: Cell<*const Cells> = const { Cell::new(&raw const UNREGISTERED) };
    /// The thread's newest block.
    static NEWEST: Cell<*const Block> = const { Cell::new(ptr::null()) };
    /// Gives the blocks back when the thread ends.
    #[cfg(not(target_os = "linux"))]
    static AT_EXIT: AtExit = const { AtExit };
}

/// A full fence on both sides.
#[derive(Debug)]
pub enum Fenced {}

// SAFETY: two SeqCst fences. [PROMISE]
unsafe impl Fences for Fenced {
    unsafe fn ready() -> bool {
        true
    }
    #[inline(always)]
    unsafe fn light() {
        // Pairs with that in `heavy`.
        fence(Ordering::SeqCst);
    }
    unsafe fn heavy() {
        // Pairs with that in `light`.
        fence(Ordering::SeqCst);
    }
    #[inline(always)]
    unsafe fn mine() -> *const Cells {
        MINE_FENCED.with(Cell::get)
    }
    unsafe fn set_mine(cells: *const Cells) {
        MINE_FENCED.with(|mine| mine.set(cells));
    }
}

/// The reader's fence is paid for by who waits: membarrier(2), which has each running thread of the process pass a full fence.
/// Readers only hold back the compiler.
///
/// Where the kernel has no membarrier at a process's first access (before Linux 4.14, or by a seccomp filter), readers make a full fence after all. If a filter
/// takes it away later, the next wait aborts the process: readers rely on it by then. So a process that puts itself into a sandbox lets membarrier(2)
/// pass, or does so before its first access.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub enum Membarrier {}

#[cfg(target_os = "linux")]
impl Membarrier {
    fn call(command: libc::c_int) -> bool {
        const NO_FLAGS: libc::c_int = 0;
        if cfg!(miri) {
            // It has no such system call, and would end.
            return false;
        }
        // SAFETY: membarrier(2) takes a command, flags and a CPU, and touches no memory of ours. [FOREIGN]
        let done = unsafe { libc::syscall(libc::SYS_membarrier, command, NO_FLAGS, 0) };
        done == 0
    }
}

// SAFETY: membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED: when it returns, each thread of the process that was running has passed a
// full memory barrier between the call's begin and its end; one that was not running passed one when it was switched. With the
// compiler held back, a reader's store and its load are in program order around any point where that barrier may fall: if it falls
// before the load, the load sees what was stored before the call; else the store came before it, and is seen after the call. [PROMISE, FOREIGN]
#[cfg(target_os = "linux")]
unsafe impl Fences for Membarrier {
    unsafe fn ready() -> bool {
        static READY: OnceLock<bool> = OnceLock::new();
        *READY.get_or_init(|| Self::call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
    }
    #[inline(always)]
    unsafe fn light() {
        // Pairs with the barrier that `heavy` makes in this thread.
        compiler_fence(Ordering::SeqCst);
    }
    unsafe fn heavy() {
        // The caller's own fence, for readers that make one as well (`Slots` at a thread's first section).
        fence(Ordering::SeqCst);
        // Pairs with `light`.
        // SAFETY: as for this. [INSIDE]
        if unsafe { Self::ready() } && !Self::call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
            // Readers rely on it by now, so nothing may be freed any more. (No `eprintln!`, whose panic would come before the abort.)
            let told = b"driver-scope: membarrier(2) works no more, although it was registered\n";
            let _ = std::io::Write::write_all(&mut std::io::stderr(), told);
            std::process::abort();
        }
    }
    #[inline(always)]
    unsafe fn mine() -> *const Cells {
        MINE_MEMBARRIER.with(Cell::get)
    }
    unsafe fn set_mine(cells: *const Cells) {
        MINE_MEMBARRIER.with(|mine| mine.set(cells));
    }
}

/// What a hosted platform does between two looks at something that another thread is about to change; returns for how long it
/// slept.
pub(crate) fn pause(round: u32) -> Duration {
    const SPINS: u32 = 64;
    const YIELDS: u32 = 192;
    const SHORTEST: Duration = Duration::from_micros(50);
    const DOUBLINGS: u32 = 5;

    if round < SPINS {
        core::hint::spin_loop();
        Duration::ZERO
    } else if round < YIELDS {
        thread::yield_now();
        Duration::ZERO
    } else {
        let delay = SHORTEST * (1 << ((round - YIELDS) / 8).min(DOUBLINGS));
        thread::sleep(delay);
        delay
    }
}

/// The read sections of a process's threads.
pub type ThreadSections<F> = Slots<Threads<F>>;

/// Every thread of the process, as readers. A value without content: all of one kind are the same.
pub struct Threads<F: Fences>(PhantomData<fn() -> F>);

impl<F: Fences> fmt::Debug for Threads<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Threads")
    }
}

impl<F: Fences> Threads<F> {
    /// The sections of the process.
    #[must_use]
    pub const fn sections() -> ThreadSections<F> {
        Slots::new(Threads(PhantomData))
    }
}

/// Cells on the list of all. Never freed: who waits walks the list at any time. Used again when its thread has ended.
struct Block {
    cells: Cells,
    /// Written before the block is published.
    next: *const Block,
    used: AtomicBool,
    /// The thread's block before this one. For the thread alone.
    older: AtomicPtr<Block>,
}

// SAFETY: `next` is not written after the block is published, and only followed. [SHARED]
unsafe impl Sync for Block {}

/// All blocks, newest first.
static BLOCKS: AtomicPtr<Block> = AtomicPtr::new(ptr::null_mut());

/// Blocks from `first` on, by way of `next`.
fn walk(
    first: *const Block,
    next: impl Fn(&'static Block) -> *const Block,
) -> impl Iterator<Item = &'static Block> {
    let mut block = first;
    core::iter::from_fn(move || {
        // SAFETY: blocks are published whole, and never freed. [INSIDE]
        let here = unsafe { block.as_ref() }?;
        block = next(here);
        Some(here)
    })
}

fn all() -> impl Iterator<Item = &'static Block> {
    // Acquire: pairs with the Release in `claim`.
    walk(BLOCKS.load(Ordering::Acquire), |block| block.next)
}

fn mine() -> impl Iterator<Item = &'static Block> {
    // Relaxed: only this thread writes it.
    walk(NEWEST.with(Cell::get), |block| {
        block.older.load(Ordering::Relaxed)
    })
}

/// A block for the calling thread.
fn claim() -> &'static Block {
    let unused = all().find(|block| {
        // Acquire: pairs with the Release at the end of the thread that had it.
        block
            .used
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    });
    let block = unused.unwrap_or_else(|| {
        let block = Box::leak(Box::new(Block {
            cells: Cells::new(),
            next: ptr::null(),
            used: AtomicBool::new(true),
            older: AtomicPtr::new(ptr::null_mut()),
        }));
        let mut head = BLOCKS.load(Ordering::Relaxed);
        loop {
            block.next = head;
            // Release: pairs with the Acquire in `all`; publishes the block, and those before it by their own exchanges.
            match BLOCKS.compare_exchange_weak(head, block, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return block,
                Err(now) => head = now,
            }
        }
    });
    // Relaxed: only this thread reads it.
    block
        .older
        .store(NEWEST.with(Cell::get).cast_mut(), Ordering::Relaxed);
    NEWEST.with(|newest| newest.set(block));
    at_exit();
    block
}

/// The thread ends: gives its blocks back, but for those with sections that were forgotten.
fn retire() {
    // SAFETY: `UNREGISTERED`. [INSIDE]
    unsafe {
        Fenced::set_mine(&raw const UNREGISTERED);
        #[cfg(target_os = "linux")]
        Membarrier::set_mine(&raw const UNREGISTERED);
    }
    for block in mine() {
        if block.cells.retire() {
            // Release: pairs with the Acquire in `claim`.
            block.used.store(false, Ordering::Release);
        }
    }
    NEWEST.with(|newest| newest.set(ptr::null()));
}

/// Has `retire` called when the thread ends: after the destructors of its thread-locals, which may hold guards, or make some.
///
/// (pthread_key_create(3): a key's destructor is called again if it sets its value again, PTHREAD_DESTRUCTOR_ITERATIONS times at least, which is
/// 4. Thread-locals with destructors are done with before any key, or by a key of their own.)
#[cfg(target_os = "linux")]
fn at_exit() {
    const LAST_ROUND: usize = 3;

    /// # Safety
    /// Called by pthreads alone.
    unsafe extern "C" fn thread_ends(value: *mut libc::c_void) {
        let round = value.addr();
        if round < LAST_ROUND {
            arm(round + 1);
        } else {
            retire();
        }
    }

    fn arm(round: usize) {
        static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
        let key = KEY.get_or_init(|| {
            let mut key = 0;
            // SAFETY: a place for a key, and a function that may be called at the end of any thread. [FOREIGN]
            let made = unsafe { libc::pthread_key_create(&raw mut key, Some(thread_ends)) };
            (made == 0).then_some(key)
        });
        // A process that has used up its keys keeps the blocks of threads that have ended.
        if let Some(key) = *key {
            // SAFETY: a key of ours; the value is a number, and nobody follows it. [FOREIGN]
            let _ = unsafe { libc::pthread_setspecific(key, ptr::without_provenance(round)) };
        }
    }

    arm(1);
}

/// Has `retire` called when the thread ends.
#[cfg(not(target_os = "linux"))]
fn at_exit() {
    // Destructors of other thread-locals may come here after that of `AT_EXIT`: their blocks are not used again.
    let _ = AT_EXIT.try_with(|_| ());
}

#[cfg(not(target_os = "linux"))]
struct AtExit;

#[cfg(not(target_os = "linux"))]
impl Drop for AtExit {
    fn drop(&mut self) {
        retire();
    }
}

// SAFETY: the promises, by their numbers. 1: a block is claimed by one thread at a time and never freed; `more` looks for room; what `mine` returns
// besides is `UNREGISTERED`, whose first cell is taken and which nobody writes. 2: a block is on the list before its thread returns from
// `more`. 3: `Fences`; a thread whose fences are not ready keeps `UNREGISTERED`, so that `Slots` makes a full fence for each section. [PROMISE]
unsafe impl<F: Fences> Readers for Threads<F> {
    #[inline(always)]
    fn mine(&self) -> &Cells {
        // SAFETY: `UNREGISTERED`, or the cells of a block; neither is ever freed. [INSIDE]
        unsafe { &*F::mine() }
    }

    fn more(&self) -> &Cells {
        let roomy = mine().find(|block| block.cells.has_room());
        let block = roomy.unwrap_or_else(claim);
        // SAFETY: ready, and a block of this thread. [INSIDE]
        unsafe {
            if ptr::eq(F::mine(), &raw const UNREGISTERED) && F::ready() {
                F::set_mine(&raw const block.cells);
            }
        }
        &block.cells
    }

    fn visit(
        &self,
        which: Which,
        visitor: &mut dyn FnMut(&Cells) -> ControlFlow<Stuck>,
    ) -> ControlFlow<Stuck> {
        match which {
            Which::All => all().try_for_each(|block| visitor(&block.cells)),
            Which::Mine => mine().try_for_each(|block| visitor(&block.cells)),
        }
    }

    #[inline(always)]
    fn light(&self) {
        // SAFETY: here is where it is for. [INSIDE]
        unsafe { F::light() };
    }

    fn heavy(&self) {
        // SAFETY: as above. [INSIDE]
        unsafe { F::heavy() };
    }

    fn covers(&self, _other: &Self) -> bool {
        true
    }
}
