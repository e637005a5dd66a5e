// Wrong: a handle is the payload that a panic is resumed with; whoever catches that is outside.
// Instead: the payload of a panic says what went wrong.
// Refused: coercion requires that `'1` must outlive `'static`
use std::panic::resume_unwind;

use driver_scope::{platform::Sim, Work};

fn fail(work: Work<'_, Sim>) {
    resume_unwind(Box::new(work));
}

fn main() {}
