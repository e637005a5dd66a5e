// Wrong: a ring of small descriptors becomes one of large descriptors, since one type is the other's subtype.
// Instead: a descriptor type of its own for each ring.
#![allow(coherence_leak_check)]
use driver_scope::dma::Descriptor;
use driver_scope::{platform::Sim, DmaRing};

#[derive(Clone, Copy)]
struct Entry<T>(T);
type Small = Entry<for<'a> fn(&'a ())>;
type Large = Entry<fn(&'static ())>;
impl Descriptor for Small {
    type Words = [u32; 1];
    fn to_words(self) -> [u32; 1] {
        [0]
    }
    fn from_words(_: [u32; 1]) -> Self {
        todo!()
    }
}
impl Descriptor for Large {
    type Words = [u32; 64];
    fn to_words(self) -> [u32; 64] {
        [0; 64]
    }
    fn from_words(_: [u32; 64]) -> Self {
        todo!()
    }
}

fn grow(small: DmaRing<'_, Small, Sim>) -> DmaRing<'_, Large, Sim> {
    small
}

fn main() {}
