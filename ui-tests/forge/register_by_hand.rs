// Wrong: an element of an array is made by hand, at an offset that nobody checks.
// Instead: `RING.nth::<3>()`, or `RING.at(index)?` for an index that is known at run time.
use driver_scope::mmio::Element;
use driver_scope::registers;

registers! {
    Uart: 0x20 {
        0x00 => rw RING: [u32; 4; stride 8],
    }
}

fn main() {
    let _ = Element::<RING> { offset: 0x1000 };
}
