// Wrong: a sleeper is made of nothing.
// Instead: ask the scope for one.
#![allow(unreachable_code)]
use driver_scope::{platform::Sim, Sleeper};

fn forge<'drv>() -> Sleeper<'drv, Sim> {
    Sleeper { pool: todo!() }
}

fn main() {}
