// Wrong: a pointer to more than the block of registers. Found when code is generated.
// Instead: point to a type that is no larger than the block.
use driver_scope::platform::Host;
use driver_scope::{registers, Mmio};
use safe_mmio::fields::ReadPure;
use safe_mmio::SharedMmioPointer;
use ui_tests::memory::Memory;

registers! {
    Regs: 8 {
        0x00 => ro ID: u32,
    }
}

fn three(regs: Mmio<'_, Regs, Host<Memory>>) -> SharedMmioPointer<'_, [ReadPure<u32>; 3]> {
    unsafe { regs.shared_pointer() }
}

fn main() {
    let _ = three as fn(_) -> _;
}
