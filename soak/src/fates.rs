//! What becomes of handles. Whatever it is, the scope ends what they name.

use std::mem;
use std::thread;

use crate::book::Book;
use crate::plan::Fate;
use crate::report::Count;

/// Does with a handle what its plan says; gives it back if it is kept. What it names is begun before it goes.
pub fn meet<H: Copy + Send>(
    fate: Fate,
    handle: H,
    book: &Book,
    begin: impl FnOnce(H) + Send,
) -> Option<H> {
    match fate {
        Fate::Kept => return Some(handle),
        Fate::Dropped => {
            begin(handle);
            book.count(Count::Dropped);
        }
        Fate::Forgotten => {
            begin(handle);
            forget(handle);
            book.count(Count::Forgotten);
        }
        Fate::Sent => {
            // (No thread that outlives `probe` can have it.)
            thread::scope(|threads| {
                threads.spawn(move || {
                    begin(handle);
                    forget(handle);
                });
            });
            book.count(Count::Sent);
        }
    }
    None
}

/// A handle is `Copy`; what holds one need not be.
struct Holder<H>(#[allow(dead_code)] H);

#[allow(clippy::forget_non_drop)] // That it changes nothing is what is tried.
fn forget<H>(handle: H) {
    mem::forget(Holder(handle));
}
