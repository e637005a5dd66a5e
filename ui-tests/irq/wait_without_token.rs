// Wrong: something waits for a handler in a context that cannot sleep.
// Instead: `disable()`, which does not wait; or take a `MaySleep` as argument, and leave it to the caller.
use driver_scope::{platform::Sim, Irq};

fn quiet(irq: Irq<'_, Sim>) {
    let _ = irq.disable_sync();
}

fn main() {}
