// Wrong: memory of an inner scope for the device of an outer one, which still reaches it when the inner scope frees it.
// Instead: allocate it in the scope that has the device.
use driver_scope::platform::Sim;
use driver_scope::{enter, DmaDevice, DriverScope};

fn lend<'drv>(scope: &DriverScope<'drv, Sim>, dma: DmaDevice<'drv, Sim>) {
    enter(Sim::new(), scope.may_sleep(), &dma, |dma, inner| {
        let _ = inner.dma_bytes(*dma, 64);
    });
}

fn main() {}
