// Wrong: an action for the end of the outer scope looks at memory of the inner one, which is free by then.
// Instead: an action of the inner scope.
// Refused: `space` escapes the closure body here
use driver_scope::enter;
use driver_scope::platform::{DmaSpace, Sim};

fn main_with(space: &DmaSpace) {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, space, |space, outer| {
            enter(Sim::new(), cx, space, |space, inner| {
                let dma = inner.dma(space, 32).unwrap();
                let bytes = inner.dma_bytes(dma, 64).unwrap();
                let _ = outer.on_remove(move |_| {
                    let _ = bytes.try_read::<u32>(0);
                });
            });
        });
    });
}

fn main() {}
