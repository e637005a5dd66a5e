// Wrong: a pointer is taken to last forever, and made of a handle that does not.
// Instead: give it the lifetime of the handle: `Mmio<'drv, Regs, P>`, `SharedMmioPointer<'drv, T>`.
use driver_scope::platform::Addressed;
use driver_scope::{registers, Mmio, Platform};
use safe_mmio::fields::ReadPure;
use safe_mmio::SharedMmioPointer;

registers! {
    Regs: 8 {
        0x00 => ro ID: u32,
    }
}

fn forever<P: Platform<Bus: Addressed>>(
    regs: Mmio<'_, Regs, P>,
) -> SharedMmioPointer<'static, ReadPure<u32>> {
    unsafe { regs.shared_pointer() }
}

fn main() {}
