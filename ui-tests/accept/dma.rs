//! Handles to memory go where a driver's callbacks and data are, by one lifetime; shorter ones may be made of them.
use driver_scope::dma::Descriptor;
use driver_scope::platform::{DmaSpace, Sim};
use driver_scope::*;

registers! {
    Shared: 0x10 {
        0x00 => rw HEAD: u32,
        0x08 => ro TAIL: u32,
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Entry(u64, u64);

impl Descriptor for Entry {
    type Words = [u64; 2];
    fn to_words(self) -> [u64; 2] {
        [self.0, self.1]
    }
    fn from_words([first, second]: [u64; 2]) -> Self {
        Entry(first, second)
    }
}

struct Data<'drv, P: Platform> {
    ring: DmaRing<'drv, Entry, P>,
    shared: DmaBuffer<'drv, Shared, P>,
    dma: DmaDevice<'drv, P>,
}

struct Nic;

impl<P: Platform> Driver<P> for Nic {
    type Device = PciDevice<P>;
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        dev: &'drv PciDevice<P>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Data<'drv, P>, Error> {
        let dma = scope.dma(dev.dma()?, 32)?;
        let ring = scope.dma_ring(dma, 4)?;
        let shared = scope.dma_block(dma)?;
        let fill = scope.hrtimer(move |_| {
            let _ = ring.publish(0, Entry(1, 2));
            shared.write(HEAD, 1);
            Restart::No
        })?;
        fill.start(1.millis())?;
        Ok(Data { ring, shared, dma })
    }
}

fn shorter<'short, 'long: 'short>(
    bytes: DmaBuffer<'long, [u8], Sim>,
    ring: DmaRing<'long, Entry, Sim>,
) -> (DmaBuffer<'short, [u8], Sim>, DmaRing<'short, Entry, Sim>) {
    (bytes, ring)
}

fn main() {
    let sim = Sim::new();
    let device = PciDevice::new(1, 2).with_dma(DmaSpace::new());
    sim.may_sleep(|cx| {
        let binding = Binding::<Nic, Sim>::bind(sim.clone(), device, cx).unwrap();
        sim.advance(2.millis());
        binding.with(|data| {
            assert_eq!(data.ring.observe(0), Ok(Entry(1, 2)));
            assert_eq!(data.shared.read(HEAD), 1);
            std::thread::scope(|threads| {
                threads.spawn(|| data.ring.set(1, Entry(3, 4)));
            });
        });
        binding.with_scope(cx, |data, scope| {
            let more = scope.dma_bytes(data.dma, 100).unwrap();
            let (more, _) = shorter(more, data.ring);
            more.copy_in(0, b"more").unwrap();
        });
    });
}
