// A big-endian block inside a little-endian one, and one that may lie at any address.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]
//! Missing documentation is denied.

use std::sync::{Arc, Mutex};

use driver_scope::platform::{Model, Region, Sim};
use driver_scope::{enter, registers, Error};

registers! {
    /// The bridge.
    pub Bridge: 0x40 {
        /// What is behind it.
        0x10 => block FAR: Far,
        /// Three strings of flags, packed.
        0x31 => block FLAGS: [Flags; 3; stride 3],
        /// Its own.
        0x00 => rw NEAR: u32,
    }

    /// Behind the bridge.
    pub Far: 0x10 align 4 big endian {
        /// In the order of the network.
        0x04 => rw ADDRESS: u32,
        /// Two ports.
        0x08 => rw PORTS: [u16; 2; stride 2],
    }

    /// Three bytes.
    pub Flags: 3 align 1 {
        /// Each.
        0 => rw FLAG: [u8; 3; stride 1],
    }
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
    let sim = Sim::new();
    let ram = Arc::new(Ram(Mutex::new([0; 0x40])));
    let bar = Region::new(ram.clone(), 0x40);
    let done: Result<(), Error> = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &bar, |bar, scope| {
            let bridge = scope.map::<Bridge>(bar)?;
            bridge.write(NEAR, 0x0102_0304);
            let far = bridge.block(FAR);
            far.write(ADDRESS, 0x0102_0304);
            far.modify(PORTS.nth::<1>(), |port| port | 0x1234);
            let flags = bridge.block(FLAGS.nth::<2>());
            flags.write(FLAG.at(2)?, 7);
            Ok(())
        })
    });
    assert_eq!(done, Ok(()));
    let ram = ram.0.lock().unwrap();
    assert_eq!(ram[0x00..0x04], [4, 3, 2, 1]);
    assert_eq!(ram[0x14..0x18], [1, 2, 3, 4]);
    assert_eq!(ram[0x1a..0x1c], [0x12, 0x34]);
    assert_eq!(ram[0x39], 7);
}
