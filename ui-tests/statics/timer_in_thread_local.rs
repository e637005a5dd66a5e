// Wrong: a handle is put into a thread-local, which is dropped when its thread ends.
// Instead: a `Port` in the thread-local.
// Refused: argument requires that `'1` must outlive `'static`
use std::cell::Cell;

use driver_scope::{platform::Sim, HrTimer};

thread_local! {
    static TIMER: Cell<Option<HrTimer<'static, Sim>>> = const { Cell::new(None) };
}

fn keep(timer: HrTimer<'_, Sim>) {
    TIMER.with(|place| place.set(Some(timer)));
}

fn main() {}
