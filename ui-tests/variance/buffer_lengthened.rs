// Wrong: a handle to memory that a device reaches is passed off as one that lives for ever.
// Instead: write the lifetime: `DmaBuffer<'drv, [u8], P>`.
// Refused: returning this value requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, DmaBuffer};

fn lengthen<'drv>(buffer: DmaBuffer<'drv, [u8], Sim>) -> DmaBuffer<'static, [u8], Sim> {
    buffer
}

fn main() {}
