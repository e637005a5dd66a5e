// Wrong: a device's handle is given a shorter life, in which it could be taken for one of another scope.
// Instead: pass it on as it is.
use driver_scope::{platform::Sim, DmaDevice};

fn shorten<'short, 'long: 'short>(dma: DmaDevice<'long, Sim>) -> DmaDevice<'short, Sim> {
    dma
}

fn main() {}
