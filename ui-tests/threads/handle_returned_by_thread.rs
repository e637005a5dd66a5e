// Wrong: a thread is to give a handle back when it is joined, which may be after the scope's end.
// Instead: `thread::scope` inside the driver's scope; its threads may have handles, and return them.
// Refused: argument requires that `'1` must outlive `'static`
use std::thread::{self, JoinHandle};

use driver_scope::{platform::Sim, Work};

fn pass(work: Work<'_, Sim>) -> JoinHandle<Work<'static, Sim>> {
    thread::spawn(move || work)
}

fn main() {}
