// Wrong: a type is mapped by a size of one's own.
// Instead: `registers!`, or `[u8]`.
use driver_scope::mmio::Extent;

struct Everything;

impl Extent for Everything {
    type Len = ();
    const NEEDED: usize = 0;
    fn len(_: usize) {}
}

fn main() {}
