// Wrong: a pointer of safe-mmio without `unsafe`, although safe code could then reach registers that are unmapped.
// Instead: promise what the module `mmio::safe_mmio` asks for, in an `unsafe` block; or declare the registers with `registers!`.
use driver_scope::platform::Addressed;
use driver_scope::{registers, Mmio, Platform};
use safe_mmio::fields::ReadPure;
use safe_mmio::SharedMmioPointer;

registers! {
    Regs: 8 {
        0x00 => ro ID: u32,
    }
}

fn pointer<P: Platform<Bus: Addressed>>(
    regs: Mmio<'_, Regs, P>,
) -> SharedMmioPointer<'_, ReadPure<u32>> {
    regs.shared_pointer()
}

fn main() {}
