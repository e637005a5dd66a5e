// Wrong: a descriptor made of pointers; the device knows other addresses, and what it wrote would become a pointer.
// Instead: `[u64; 2]`, with what `DmaBuffer::address` says.
use driver_scope::dma::Descriptor;

#[derive(Clone, Copy)]
struct Entry(*const u8, *const u8);

impl Descriptor for Entry {
    type Words = [*const u8; 2];
    fn to_words(self) -> [*const u8; 2] {
        [self.0, self.1]
    }
    fn from_words([first, second]: [*const u8; 2]) -> Self {
        Entry(first, second)
    }
}

fn main() {}
