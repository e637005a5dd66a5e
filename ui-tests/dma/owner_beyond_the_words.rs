// Wrong: the word that passes ownership is one that the descriptor does not have. Found when code is generated.
// Instead: count from 0; the last one needs not be named.
use driver_scope::dma::Descriptor;
use driver_scope::{platform::Sim, DmaRing, Error};

#[derive(Clone, Copy)]
struct Entry([u32; 4]);

impl Descriptor for Entry {
    type Words = [u32; 4];
    const OWNER: usize = 4;
    fn to_words(self) -> [u32; 4] {
        self.0
    }
    fn from_words(words: [u32; 4]) -> Self {
        Entry(words)
    }
}

fn pass(ring: DmaRing<'_, Entry, Sim>) -> Result<(), Error> {
    ring.publish(0, Entry([1; 4]))
}

fn main() {
    let _ = pass as fn(_) -> _;
}
