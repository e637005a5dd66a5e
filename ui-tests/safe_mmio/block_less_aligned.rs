// Wrong: a pointer to a type that is aligned to more than its block of registers. Found when code is generated.
// Instead: declare the block without `align 4`, if it is so aligned.
use driver_scope::platform::Host;
use driver_scope::{registers, Mmio};
use safe_mmio::fields::ReadPure;
use safe_mmio::SharedMmioPointer;
use ui_tests::memory::Memory;

registers! {
    Channel: 16 align 4 {
        0x00 => ro ID: u32,
    }
}

fn wide(channel: Mmio<'_, Channel, Host<Memory>>) -> SharedMmioPointer<'_, ReadPure<u64>> {
    unsafe { channel.shared_pointer() }
}

fn main() {
    let _ = wide as fn(_) -> _;
}
