//! Which mutant is on. `cargo xtask mutants` puts this into its copy of the crate, and asks it wherever there is one.

use core::ffi::{c_char, c_int, c_long, c_void};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering::Relaxed};

/// Nobody has asked yet.
const UNKNOWN: u32 = u32::MAX;
/// None is on, and it is noted which are come by.
const NOTING: u32 = u32::MAX - 1;

static ON: AtomicU32 = AtomicU32::new(UNKNOWN);
static NOTES: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

extern "C" {
    fn getenv(name: *const c_char) -> *const c_char;
    fn atoi(text: *const c_char) -> c_int;
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn mmap(at: *mut c_void, len: usize, prot: c_int, flags: c_int, file: c_int, offset: c_long) -> *mut c_void;
}

#[inline]
pub(crate) fn on(number: u32) -> bool {
    let on = ON.load(Relaxed);
    if on < NOTING {
        return on == number;
    }
    ask(number)
}

#[cold]
fn ask(number: u32) -> bool {
    if ON.load(Relaxed) == UNKNOWN {
        // SAFETY: C strings; the file is as long as there are mutants, and has a byte for each. (O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED: processes that are
        // killed, and those that they have started, have noted all the same.)
        unsafe {
            let notes = getenv(c"XTASK_MUTANTS_NOTES".as_ptr());
            if notes.is_null() {
                let on = getenv(c"XTASK_MUTANT".as_ptr());
                ON.store(if on.is_null() { 0 } else { atoi(on) as u32 }, Relaxed);
            } else {
                let file = open(notes, 2);
                let len = atoi(getenv(c"XTASK_MUTANTS".as_ptr())) as usize;
                let notes = mmap(ptr::null_mut(), len, 3, 1, file, 0);
                assert!(file >= 0 && notes as isize != -1);
                NOTES.store(notes.cast(), Relaxed);
                ON.store(NOTING, Relaxed);
            }
        }
    }
    let notes = NOTES.load(Relaxed);
    if !notes.is_null() {
        // SAFETY: the numbers are below the file's length. That others write the same byte is no matter here.
        unsafe { notes.add(number as usize).write_volatile(1) };
    }
    ON.load(Relaxed) == number
}
