// Wrong: a thread that nothing ends writes the device's memory.
// Instead: a callback of the scope, which the scope ends before it frees the memory.
use driver_scope::dma::Descriptor;
use driver_scope::{platform::Sim, DmaDevice, DmaRing, DriverScope};

#[derive(Clone, Copy)]
struct Word(u32);
impl Descriptor for Word {
    type Words = [u32; 1];
    fn to_words(self) -> [u32; 1] {
        [self.0]
    }
    fn from_words([word]: [u32; 1]) -> Self {
        Word(word)
    }
}

fn fill<'drv>(scope: &DriverScope<'drv, Sim>, dma: DmaDevice<'drv, Sim>) {
    let ring: DmaRing<'drv, Word, Sim> = scope.dma_ring(dma, 4).unwrap();
    std::thread::spawn(move || ring.set(0, Word(1)));
}

fn main() {}
