// A region whose layout is known at run time only: checked accesses, parts, copies, and a block after one check.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]
//! Missing documentation is denied.

use std::sync::{Arc, Mutex};

use driver_scope::platform::{Model, Region, Sim};
use driver_scope::{enter, registers, Error, Mmio, Platform};

registers! {
    /// A capability: how long it is, stands in the device.
    pub Capability: 0x8 align 4 {
        /// Which.
        0x0 => ro KIND: u16,
        /// Where the next one is.
        0x2 => ro NEXT: u16,
        /// For the driver.
        0x4 => rw NOTE: u32,
    }
}

/// The list ends with offset 0.
fn find<'drv, P: Platform>(
    bytes: Mmio<'drv, [u8], P>,
    kind: u16,
) -> Result<Option<Mmio<'drv, Capability, P>>, Error> {
    let mut at = usize::from(bytes.try_read::<u16>(0)?);
    while at != 0 {
        let capability = bytes.block_at::<Capability>(at)?;
        if capability.read(KIND) == kind {
            return Ok(Some(capability));
        }
        at = capability.read(NEXT).into();
    }
    Ok(None)
}

struct Ram(Mutex<[u8; 0x40]>);

impl Model for Ram {
    fn read(&self, offset: u64, width: u8) -> u64 {
        let ram = self.0.lock().unwrap();
        let bytes = &ram[offset as usize..][..width.into()];
        bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }
    fn write(&self, offset: u64, width: u8, value: u64) {
        let mut ram = self.0.lock().unwrap();
        let bytes = &value.to_le_bytes()[..width.into()];
        ram[offset as usize..][..width.into()].copy_from_slice(bytes);
    }
}

fn main() {
    let mut ram = [0; 0x40];
    ram[0] = 0x10;
    ram[0x10..0x14].copy_from_slice(&[1, 0, 0x18, 0]);
    ram[0x18..0x1c].copy_from_slice(&[2, 0, 0, 0]);
    let bar = Region::new(Arc::new(Ram(Mutex::new(ram))), 0x40);

    let sim = Sim::new();
    let done: Result<(), Error> = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &bar, |bar, scope| {
            let bytes = scope.map::<[u8]>(bar)?;
            let (low, high) = bytes.split_at(0x20)?;
            assert_eq!((low.len(), high.len(), high.is_empty()), (0x20, 0x20, false));

            let found = find(low, 2)?.expect("the second");
            found.write(NOTE, 7);
            assert_eq!(low.try_read_relaxed::<u32>(0x20), Err(Error::OutOfBounds { offset: 0x20, width: 4, size: 0x20 }));
            assert!(find(low, 3)?.is_none());
            assert_eq!(bytes.try_read::<u32>(0x1c), Ok(7));

            high.write_bytes(3, b"registers")?;
            let mut back = [0; 9];
            bytes.read_bytes(0x23, &mut back)?;
            assert_eq!(&back, b"registers");
            let mut words = [0u16; 2];
            high.write_words(8, &[0x0102u16, 0x0304])?;
            high.read_words(8, &mut words)?;
            assert_eq!(words, [0x0102, 0x0304]);
            Ok(())
        })
    });
    assert_eq!(done, Ok(()));
}
