//! An address that may be that of device memory, or of nothing any more, is read without a mapping.

use core::ptr::NonNull;

use driver_scope::platform::DeviceMemory;

fn main() {
    let gone = NonNull::from(&*Box::new(1_u32));
    let memory = DeviceMemory::new(gone.cast());
    let _: u32 = memory.read_relaxed(0);
}
