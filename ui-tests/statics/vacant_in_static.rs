// Wrong: a timer's place for a callback is put into a `static`, to be filled by whoever comes.
// Instead: the callback calls what is registered in a `Once`, which may be a `static`.
// Refused: argument requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, Lock, Vacant};

fn keep(place: Vacant<'_, Sim>, all: &'static Lock<Vec<Vacant<'static, Sim>>, Sim>) {
    all.lock().push(place);
}

fn main() {}
