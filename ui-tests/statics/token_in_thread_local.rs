// Wrong: the proof that one may sleep is put into a thread-local; the thread may be in a callback later.
// Instead: pass it on, by value.
// Refused: argument requires that `'1` must outlive `'static`
use std::cell::Cell;

use driver_scope::MaySleep;

thread_local! {
    static TOKEN: Cell<Option<MaySleep<'static>>> = const { Cell::new(None) };
}

fn keep(cx: MaySleep<'_>) {
    TOKEN.set(Some(cx));
}

fn main() {}
