//! The memory of a model.

use std::alloc::Layout;

use driver_scope::platform::{Dma, DmaSpace, EmulatedDma, Sim};
use driver_scope::{enter, DmaBuffer, DmaDevice, DmaRing, Error, PciDevice};

use super::Entry;

#[test]
fn a_space_refuses_what_is_not_there() {
    let space = DmaSpace::new();
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &space, |space, scope| {
            let dma = scope.dma(space, 28)?;
            let bytes = scope.dma_bytes(dma, 4096)?;
            let next = scope.dma_bytes(dma, 10)?;
            assert_eq!(bytes.address() % 4096, 0);
            assert!(bytes.address() >= 0x1_0000, "nothing is at low addresses");
            let end = bytes.address() + 4096;
            assert!(next.address() >= end + 4096, "a page between");
            assert!(space.write(end - 4, &[1; 4]).is_ok());
            let mut to = [0; 5];
            for (address, len) in [(end - 4, 5), (end, 1), (bytes.address() - 1, 1), (0, 1)] {
                let fault = space.write(address, &to[..len]).unwrap_err();
                assert_eq!((fault.address, fault.len), (address, len));
                assert!(space.read(address, &mut to[..len]).is_err());
                assert_eq!(to[..len], [0xff; 5][..len]);
            }
            assert!(space.write(u64::MAX, &[1; 5]).is_err());
            assert_eq!(space.faults(), 9);
            assert_eq!(space.blocks(), 2);
            let mut seen = [0; 4];
            bytes.copy_out(4092, &mut seen)?;
            assert_eq!(seen, [1; 4], "what does not fit is not written in part");
            Ok::<(), Error>(())
        })
    })
    .unwrap();
    assert_eq!(space.blocks(), 0);
    assert!(space.read(0x1_0000, &mut [0]).is_err());
}

/// Addresses are used again when there is no other way.
#[test]
fn a_space_goes_round() {
    let space = DmaSpace::new();
    let sim = Sim::new();
    let mut addresses = Vec::new();
    for _ in 0..40 {
        sim.may_sleep(|cx| {
            enter(sim.clone(), cx, &space, |space, scope| {
                let dma = scope.dma(space, 18)?;
                let one = scope.dma_bytes(dma, 0x8000)?.address();
                let two = scope.dma_bytes(dma, 0x8000)?.address();
                assert!(two.abs_diff(one) > 0x8000);
                assert!(one.max(two) + 0x8000 <= 1 << 18);
                addresses.push(one);
                Ok::<(), Error>(())
            })
        })
        .unwrap();
    }
    assert_ne!(addresses[0], addresses[1]);
    assert!(addresses[1..].contains(&addresses[0]), "{addresses:x?}");
}

/// Blocks of many sizes, until there is no room; each time from elsewhere on, so that they meet.
#[test]
fn blocks_are_apart_wherever_they_come_to_lie() {
    let space = DmaSpace::new();
    let sim = Sim::new();
    let mut size = 1;
    for _ in 0..50 {
        sim.may_sleep(|cx| {
            enter(sim.clone(), cx, &space, |space, scope| {
                let dma = scope.dma(space, 18).unwrap();
                let mut blocks = Vec::new();
                loop {
                    size = (size * 31 + 7) % 0x5000 + 1;
                    match scope.dma_bytes(dma, size) {
                        Ok(block) => blocks.push((block.address(), size as u64)),
                        Err(error) => break assert_eq!(error, Error::DmaMask(18)),
                    }
                }
                blocks.sort_unstable();
                assert!(blocks.len() >= 5);
                for pair in blocks.windows(2) {
                    let ((one, size), (two, _)) = (pair[0], pair[1]);
                    assert!(one + size + 4096 <= two, "{one:x} {size:x} {two:x}");
                }
                let (last, size) = blocks[blocks.len() - 1];
                assert!(last + size <= 1 << 18);
            });
        });
    }
}

#[test]
fn safe_code_may_ask_the_platform_itself() {
    let space = DmaSpace::new();
    let dma = EmulatedDma;
    let claim = dma.claim(&space, 0).unwrap();
    let none = Layout::new::<()>();
    assert_eq!(dma.allocate(&claim, none).unwrap_err(), Error::ZeroSize);
    assert_eq!(
        dma.allocate(&claim, Layout::new::<u64>()).unwrap_err(),
        Error::DmaMask(0)
    );
    dma.quiet(&claim);
    assert_eq!(dma.claim(&space, 32).unwrap_err(), Error::DmaInUse);
    drop(claim);
    let claim = dma.claim(&space, u32::MAX).unwrap();
    let block = dma.allocate(&claim, Layout::new::<u64>()).unwrap();
    // The bits are those of the second claim.
    assert!(space.write(block.device, &[1]).is_ok());
    dma.quiet(&claim);
    // SAFETY: allocated with these, and not used again; the device is quiet.
    unsafe { dma.free(&claim, block, Layout::new::<u64>()) };
}

/// Quiet is quiet, though the block is still there; and so it is when nobody has the device.
#[test]
fn a_quiet_device_is_refused() {
    let (space, layout) = (DmaSpace::new(), Layout::new::<u64>());
    let claim = EmulatedDma.claim(&space, 32).unwrap();
    let block = EmulatedDma.allocate(&claim, layout).unwrap();
    assert!(space.write(block.device, &[1]).is_ok());
    EmulatedDma.quiet(&claim);
    assert!(space.write(block.device, &[2]).is_err());
    // SAFETY: inside the block, which is not freed.
    assert_eq!(unsafe { EmulatedDma::read::<u8>(block.cpu) }, 1);
    // SAFETY: allocated with these, and not used again; the device is quiet.
    unsafe { EmulatedDma.free(&claim, block, layout) };
}

/// A PCI device without a way to memory has none.
#[test]
fn a_pci_device_tells() {
    let device = PciDevice::<Sim>::new(1, 2);
    assert_eq!(device.dma().unwrap_err(), Error::Unsupported);
    assert!(device.with_dma(DmaSpace::new()).dma().is_ok());
}

/// Handles go where the driver's callbacks are.
#[test]
fn handles_are_send_and_copy() {
    fn both<T: Send + Sync + Copy>() {}
    both::<DmaBuffer<'static, [u8], Sim>>();
    both::<DmaRing<'static, Entry, Sim>>();
    both::<DmaDevice<'static, Sim>>();
}

/// As many bytes as there are addresses, and not one more.
#[test]
fn the_last_address_is_of_use() {
    let ask = |size: u64| {
        let space = DmaSpace::new();
        let claim = EmulatedDma.claim(&space, 18).unwrap();
        let layout = Layout::from_size_align(size as usize, 1).unwrap();
        let block = EmulatedDma.allocate(&claim, layout)?;
        // SAFETY: allocated with these, and not used; nobody has been told where it is.
        unsafe { EmulatedDma.free(&claim, block, layout) };
        Ok::<_, Error>(block.device)
    };
    let first = ask(1).unwrap();
    let all = (1 << 18) - first;
    assert_eq!(ask(all), Ok(first));
    assert_eq!(ask(all + 1), Err(Error::DmaMask(18)));
}
