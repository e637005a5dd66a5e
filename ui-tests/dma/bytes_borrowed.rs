// Wrong: a slice of memory that the device may write at any time.
// Instead: `copy_out` into a slice of one's own, or `try_read`.
use driver_scope::{platform::Sim, DmaBuffer};

fn first(bytes: DmaBuffer<'_, [u8], Sim>) -> u8 {
    let slice: &[u8] = &bytes[..];
    slice[0]
}

fn main() {}
