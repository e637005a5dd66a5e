// Wrong: a handle to memory that a device reaches is returned from `enter`, which has freed it.
// Instead: copy out what is needed inside, and return that.
use driver_scope::platform::{DmaSpace, Sim};
use driver_scope::{enter, DmaBuffer};

fn leak(space: &DmaSpace) {
    Sim::new().may_sleep(|cx| {
        let _bytes: DmaBuffer<'_, [u8], Sim> = enter(Sim::new(), cx, space, |space, scope| {
            let dma = scope.dma(space, 32).unwrap();
            scope.dma_bytes(dma, 64).unwrap()
        });
    });
}

fn main() {}
