// Wrong: a ring of descriptors is passed off as one that lives for ever. Its memory is freed with the scope.
// Instead: write the lifetime: `DmaRing<'drv, D, P>`.
// Refused: returning this value requires that `'drv` must outlive `'static`
use driver_scope::dma::Descriptor;
use driver_scope::{platform::Sim, DmaRing};

fn lengthen<'drv, D: Descriptor>(ring: DmaRing<'drv, D, Sim>) -> DmaRing<'static, D, Sim> {
    ring
}

fn main() {}
