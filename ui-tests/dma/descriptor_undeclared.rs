// Wrong: a ring of structures as they lie in memory; the device could write one into a `bool` that is neither.
// Instead: implement `Descriptor`, which makes it of words.
use driver_scope::{platform::Sim, DmaDevice, DriverScope};

#[derive(Clone, Copy)]
#[repr(C)]
struct Entry {
    address: u64,
    ready: bool,
}

fn ring<'drv>(scope: &DriverScope<'drv, Sim>, dma: DmaDevice<'drv, Sim>) {
    let _ = scope.dma_ring::<Entry>(dma, 16);
}

fn main() {}
