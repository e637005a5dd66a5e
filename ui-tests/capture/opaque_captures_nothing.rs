// Wrong: `use<>` says that what is returned captures no lifetime, and a handle is inside.
// Instead: `impl Fn() + use<'drv>`.
// Refused: hidden type for `impl Fn()` captures lifetime that does not appear in bounds
use driver_scope::{platform::Sim, Irq};

fn disabler<'drv>(irq: Irq<'drv, Sim>) -> impl Fn() + use<> {
    move || irq.disable()
}

fn main() {}
