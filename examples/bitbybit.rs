//! Registers whose fields are those of the crates bitbybit and arbitrary-int.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use arbitrary_int::{u3, u4};
use bitbybit::{bitenum, bitfield};
use driver_scope::platform::{Model, Platform, Region, Sim};
use driver_scope::{enter, register_values, registers, Error, Mmio};

// ---- the driver

/// The control register.
#[bitfield(u32, debug)]
struct Control {
    #[bit(0, rw)]
    enable: bool,
    #[bits(4..=5, rw)]
    mode: Mode,
    #[bits(8..=10, rw)]
    channel: u3,
    #[bits(16..=19, r)]
    revision: u4,
}

#[bitenum(u2, exhaustive = true)]
#[derive(Debug, PartialEq)]
enum Mode {
    Off = 0,
    Once = 1,
    Periodic = 2,
    External = 3,
}

register_values! { Control: u32 = new_with_raw_value, raw_value }

registers! {
    Counter: 0x10 {
        0x00 => rw CONTROL: Control,
    }
}

fn start<P: Platform>(regs: Mmio<'_, Counter, P>) -> Control {
    regs.modify(CONTROL, |control| {
        control.with_mode(Mode::Periodic).with_channel(u3::new(5))
    });
    regs.read(CONTROL)
}

// ---- the device: its revision, 0xA, cannot be written

struct Device(AtomicU32);

impl Model for Device {
    fn read(&self, _offset: u64, _width: u8) -> u64 {
        u64::from(self.0.load(Ordering::Relaxed)) | 0xa_0000
    }
    fn write(&self, _offset: u64, _width: u8, value: u64) {
        self.0.store(value as u32 & !0xf_0000, Ordering::Relaxed);
    }
}

fn main() -> Result<(), Error> {
    let device = Arc::new(Device(AtomicU32::new(0x8000_0011)));
    let region = Region::new(device.clone(), 0x10);
    let sim = Sim::new();
    let control = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &region, |region, scope| {
            Ok::<_, Error>(start(scope.map::<Counter>(region)?))
        })
    })?;

    println!("{control:?}: {:#x}", control.raw_value());
    assert_eq!(control.mode(), Mode::Periodic);
    assert_eq!(device.0.load(Ordering::Relaxed), 0x8000_0521);
    assert_eq!(control.raw_value(), 0x800a_0521);
    Ok(())
}
