// Wrong: the hook for panics quiets a device by its registers, also when they are gone.
// Instead: a hook with a `Devres` of the registers: `regs.into_devres(scope)?.devres()`.
// Refused: coercion requires that `'1` must outlive `'static`
use std::panic::set_hook;

use driver_scope::{platform::Sim, Mmio};

fn on_panic(regs: Mmio<'_, [u8], Sim>) {
    set_hook(Box::new(move |_| {
        let _ = regs.try_write(0, 0_u32);
    }));
}

fn main() {}
