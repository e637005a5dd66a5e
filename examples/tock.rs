//! Registers whose fields are those of the crate tock-registers: as a type of the register, and beside a plain integer.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use driver_scope::platform::{Model, Platform, Region, Sim};
use driver_scope::{enter, register_values, registers, Error, Mmio};
use tock_registers::{register_bitfields, LocalRegisterCopy};

// ---- the driver

register_bitfields! { u32,
    Control [
        ENABLE OFFSET(0) NUMBITS(1) [],
        MODE OFFSET(4) NUMBITS(2) [ Off = 0, Once = 1, Periodic = 2, External = 3 ],
    ]
}

/// The control register: a type of one's own, since both the trait and `LocalRegisterCopy` are others'.
#[derive(Clone, Copy)]
struct ControlValue(LocalRegisterCopy<u32, Control::Register>);

impl ControlValue {
    fn new(bits: u32) -> Self {
        ControlValue(LocalRegisterCopy::new(bits))
    }
    fn get(self) -> u32 {
        self.0.get()
    }
}

register_values! { ControlValue: u32 = new, get }

registers! {
    Counter: 0x10 {
        0x00 => rw CONTROL: ControlValue,
        0x04 => rw SECOND: u32,
    }
}

fn start<P: Platform>(regs: Mmio<'_, Counter, P>) -> bool {
    regs.modify(CONTROL, |mut control| {
        control.0.modify(Control::MODE::Periodic);
        control
    });
    regs.modify(SECOND, |bits| Control::MODE::Once.modify(bits));
    regs.read(CONTROL).0.matches_all(Control::MODE::Periodic)
        && Control::MODE.read(regs.read(SECOND)) == 1
}

// ---- the device: two registers that hold what is written

struct Device([AtomicU32; 2]);

impl Model for Device {
    fn read(&self, offset: u64, _width: u8) -> u64 {
        self.0[offset as usize / 4].load(Ordering::Relaxed).into()
    }
    fn write(&self, offset: u64, _width: u8, value: u64) {
        self.0[offset as usize / 4].store(value as u32, Ordering::Relaxed);
    }
}

fn main() -> Result<(), Error> {
    let device = Arc::new(Device([0x8000_0000, 0xf0].map(AtomicU32::new)));
    let region = Region::new(device.clone(), 0x10);
    let sim = Sim::new();
    let started = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &region, |region, scope| {
            Ok::<_, Error>(start(scope.map::<Counter>(region)?))
        })
    })?;

    let [first, second] = [0, 1].map(|n| device.0[n].load(Ordering::Relaxed));
    println!("started: {started}; the registers hold {first:#x} and {second:#x}");
    assert_eq!((started, first, second), (true, 0x8000_0020, 0xd0));
    Ok(())
}
