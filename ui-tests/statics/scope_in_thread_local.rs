// Wrong: the scope is put into a thread-local, so that functions deep down find it.
// Instead: pass it on; in callbacks there is none.
// Refused: argument requires that `'1` must outlive `'static`
use std::cell::Cell;

use driver_scope::{platform::Sim, DriverScope};

thread_local! {
    static SCOPE: Cell<Option<&'static DriverScope<'static, Sim>>> = const { Cell::new(None) };
}

fn keep(scope: &DriverScope<'_, Sim>) {
    SCOPE.set(Some(scope));
}

fn main() {}
