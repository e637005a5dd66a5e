//! Pointers of safe-mmio: where they point, that one is unique, and that the mapping outlives them.
//!
//! Seen to fail with: mappings that end in the destroy phase or never, regions mapped twice, sizes not compared, words not aligned as such, the
//! offset forgotten.

#[path = "safe_mmio/memory.rs"]
mod memory;

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use driver_scope::platform::Host;
use driver_scope::{enter, registers, Devres, DriverScope, Error, Mmio, Registers, Units};
use memory::{Memory, Region};
use safe_mmio::fields::{ReadPure, ReadPureWrite};
use safe_mmio::{field, field_shared, SharedMmioPointer, UniqueMmioPointer};
use zerocopy::FromBytes;

type Memories = Host<Memory>;

registers! {
    Regs: 0x30 {
        0x00 => rw A: u32,
        0x04 => rw B: u32,
        0x0c => block TRIPLE: [Triple; 3; stride 12],
    }

    Triple: 12 align 4 {
        0x00 => rw FIRST: u32,
        0x08 => rw LAST: u32,
    }
}

/// A [`Triple`], for safe-mmio.
#[derive(FromBytes)]
#[repr(C)]
struct Three {
    first: ReadPureWrite<u32>,
    middle: u32,
    last: ReadPure<u32>,
}

/// [`Regs`], for safe-mmio.
#[derive(FromBytes)]
#[repr(C)]
struct Whole {
    a: ReadPureWrite<u32>,
    b: ReadPureWrite<u32>,
    gap: u32,
    triples: [Three; 3],
}

// The pointers of these tests: the macros are given variables, no type has a `Deref`, and each field lies at a multiple of its size.

fn unique<'drv, T: FromBytes + 'static>(
    scope: &DriverScope<'drv, Memories>,
    region: &Region,
) -> Result<UniqueMmioPointer<'drv, T>, Error> {
    // SAFETY: as told above.
    unsafe { scope.map_unique(region) }
}

fn shared<'drv, R: Registers, T: FromBytes + 'static>(
    regs: Mmio<'drv, R, Memories>,
) -> SharedMmioPointer<'drv, T> {
    // SAFETY: as told above.
    unsafe { regs.shared_pointer() }
}

fn shared_at<'drv, T: FromBytes + 'static>(
    bytes: Mmio<'drv, [u8], Memories>,
    offset: usize,
) -> Result<SharedMmioPointer<'drv, T>, Error> {
    // SAFETY: as told above.
    unsafe { bytes.shared_pointer_at(offset) }
}

fn in_scope<R>(
    region: &Region,
    f: impl for<'drv> FnOnce(&'drv Region, &DriverScope<'drv, Memories>) -> R,
) -> R {
    let host = Memories::on_bus(|_| {}).unwrap();
    host.may_sleep(|cx| enter(host.clone(), cx, region, f))
}

#[test]
fn a_shared_pointer_reads_what_handles_write() {
    in_scope(&Region::new(6), |region, scope| {
        let regs = scope.map::<Regs>(region)?;
        let pointer: SharedMmioPointer<'_, Whole> = shared(regs);
        let copy = pointer;
        for value in [0, 1, 0x8765_4321, u32::MAX] {
            regs.write(B, value);
            assert_eq!(field_shared!(pointer, b).read(), value);
            assert_eq!(field_shared!(copy, b).read(), value);
            assert_eq!(field_shared!(copy, a).read(), 0);
        }
        Ok::<(), Error>(())
    })
    .unwrap();
}

#[test]
fn a_shared_pointer_is_where_its_block_is() {
    in_scope(&Region::new(6), |region, scope| {
        let regs = scope.map::<Regs>(region)?;
        let whole: SharedMmioPointer<'_, Whole> = shared(regs);
        let triples = field_shared!(whole, triples).split();
        let start = region.start().as_ptr() as usize;
        for (index, triple) in TRIPLE.all().enumerate() {
            let triple = regs.block(triple);
            let pointer: SharedMmioPointer<'_, Three> = shared(triple);
            assert_eq!(pointer.ptr() as usize, start + 12 + index * 12);
            assert_eq!(pointer, triples[index]);
            triple.write(LAST, 7 + index as u32);
            assert_eq!(field_shared!(pointer, last).read(), 7 + index as u32);
        }
        Ok::<(), Error>(())
    })
    .unwrap();
}

#[test]
fn a_shared_pointer_into_bytes_is_aligned_and_inside() {
    in_scope(&Region::new(4), |region, scope| {
        let bytes = scope.map::<[u8]>(region)?;
        let start = region.start().as_ptr() as usize;
        for offset in 0..0x28 {
            let pointer = shared_at::<Three>(bytes, offset);
            if offset % 4 != 0 {
                assert_eq!(pointer, Err(Error::Misaligned { offset, width: 4 }));
            } else if offset > 0x14 {
                assert_eq!(
                    pointer,
                    Err(Error::OutOfBounds {
                        offset,
                        width: 12,
                        size: 0x20
                    })
                );
            } else {
                bytes.try_write(offset + 8, offset as u32)?;
                let pointer = pointer?;
                assert_eq!(pointer.ptr() as usize, start + offset);
                assert_eq!(field_shared!(pointer, last).read(), offset as u32);
            }
        }
        // Nothing, at the end.
        assert!(shared_at::<[ReadPure<u32>; 0]>(bytes, 0x20).is_ok());
        assert!(shared_at::<ReadPure<u8>>(bytes, 0x20).is_err());
        Ok::<(), Error>(())
    })
    .unwrap();
}

#[test]
fn what_is_accessed_as_a_word_is_aligned_as_one() {
    in_scope(&Region::new(1), |region, scope| {
        let bytes = scope.map::<[u8]>(region)?;
        bytes.try_write(4, u32::from_ne_bytes(*b"word"))?;
        for offset in 0..4 {
            let word = shared_at::<ReadPure<[u8; 4]>>(bytes, offset);
            assert_eq!(word.is_ok(), offset == 0);
        }
        let word = shared_at::<ReadPure<[u8; 4]>>(bytes, 4)?;
        assert_eq!(&word.read(), b"word");
        let two = shared_at::<ReadPure<[u32; 2]>>(bytes, 4);
        assert_eq!(
            two,
            Err(Error::Misaligned {
                offset: 4,
                width: 8
            })
        );
        // Three bytes are accessed in pieces.
        let three = shared_at::<ReadPure<[u8; 3]>>(bytes, 5)?;
        assert_eq!(&three.read(), b"ord");
        Ok::<(), Error>(())
    })
    .unwrap();
}

#[test]
fn a_unique_pointer_reads_and_writes_and_is_the_only_one() {
    let region = Region::new(6);
    for round in 0..3 {
        in_scope(&region, |region, scope| {
            let mut whole: UniqueMmioPointer<'_, Whole> = unique(scope, region)?;
            assert_eq!(whole.ptr_mut() as usize, region.start().as_ptr() as usize);
            // The region is as the last one left it.
            assert_eq!(field_shared!(whole, b).read(), round);
            field!(whole, b).modify(|b| b + 1);

            assert_eq!(
                unique::<Whole>(scope, region).err(),
                Some(Error::AlreadyMapped)
            );
            assert_eq!(
                unique::<Three>(scope, region).err(),
                Some(Error::AlreadyMapped)
            );
            assert_eq!(scope.map::<Regs>(region).err(), Some(Error::AlreadyMapped));
            assert_eq!(scope.map::<[u8]>(region).err(), Some(Error::AlreadyMapped));
            // Nor when it is used no more: the mapping lasts as long as the scope.
            assert_eq!(
                unique::<Whole>(scope, region).err(),
                Some(Error::AlreadyMapped)
            );
            Ok::<(), Error>(())
        })
        .unwrap();
        assert!(!region.is_mapped());
    }
}

#[test]
fn a_handle_excludes_a_unique_pointer() {
    in_scope(&Region::new(6), |region, scope| {
        scope.map::<[u8]>(region)?;
        assert_eq!(
            unique::<Three>(scope, region).err(),
            Some(Error::AlreadyMapped)
        );
        Ok::<(), Error>(())
    })
    .unwrap();
}

#[test]
fn a_region_must_be_as_large_as_the_type() {
    in_scope(&Region::new(5), |region, scope| {
        let refused = unique::<Whole>(scope, region).err();
        assert_eq!(
            refused,
            Some(Error::RegionTooSmall {
                needed: 0x30,
                size: 0x28
            })
        );
        // And is then not mapped.
        assert!(!region.is_mapped());
        unique::<[ReadPureWrite<u32>; 10]>(scope, region)?;
        Ok::<(), Error>(())
    })
    .unwrap();
}

#[test]
fn a_pointer_is_made_inside_a_guard() {
    in_scope(&Region::new(6), |region, scope| {
        let regs = scope.map::<Regs>(region)?;
        regs.write(A, 5);
        let devres: Devres<Mmio<'static, Regs, _>, _> = regs.into_devres(scope)?.devres();
        let guard = devres.try_access().ok_or(Error::Gone)?;
        let pointer: SharedMmioPointer<'_, Whole> = shared(*guard.get());
        assert_eq!(field_shared!(pointer, a).read(), 5);
        Ok::<(), Error>(())
    })
    .unwrap();
}

/// Writes through its pointer until the last moment.
struct Last<'drv> {
    whole: UniqueMmioPointer<'drv, Whole>,
    region: &'drv Region,
    was_mapped: &'drv AtomicBool,
}

impl Drop for Last<'_> {
    fn drop(&mut self) {
        field!(self.whole, a).write(0x1a57);
        self.was_mapped.store(self.region.is_mapped(), SeqCst);
    }
}

#[test]
fn the_mapping_outlives_the_pointer() {
    let host = Memories::on_bus(|_| {}).unwrap();
    let region = Region::new(6);
    let was_mapped = AtomicBool::new(false);
    host.may_sleep(|cx| {
        enter(
            host.clone(),
            cx,
            &(&region, &was_mapped),
            |(region, was_mapped), scope| {
                // Older than the mapping, so that in each phase of the teardown it comes later.
                let (timer, vacant) = scope.vacant_hrtimer()?;
                let mut last = Last {
                    whole: unique(scope, region)?,
                    region,
                    was_mapped,
                };
                vacant.set(scope, move |t| {
                    let last = &mut last;
                    field!(last.whole, b).modify(|b| b + 1);
                    t.restart_after(20.micros())
                })?;
                timer.start(20.micros())?;
                scope.sleep(5.millis());
                Ok::<(), Error>(())
            },
        )
    })
    .unwrap();
    assert!(was_mapped.load(SeqCst));
    assert!(!region.is_mapped());
    in_scope(&region, |region, scope| {
        let regs = scope.map::<Regs>(region)?;
        assert_eq!(regs.read(A), 0x1a57);
        assert!(regs.read(B) > 0);
        Ok::<(), Error>(())
    })
    .unwrap();
}
