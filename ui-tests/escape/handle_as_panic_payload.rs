// Wrong: the handle leaves its scope as the payload of a panic.
// Instead: panic with a message.
use driver_scope::*;

registers! {
    Regs: 0x4 {
        0x0 => rw STATUS: u32,
    }
}

fn leak<P: Platform>(regs: Mmio<'_, Regs, P>) {
    regs.modify(STATUS, |_| std::panic::panic_any(regs));
}

fn main() {}
