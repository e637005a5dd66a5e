// Registers of each kind, in a driver's own module and seen by nobody else, some of them unused.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]
//! Missing documentation is denied.

use std::sync::{Arc, Mutex};

use driver_scope::platform::{Model, Platform, Region, Sim};
use driver_scope::{enter, register_values, registers, Error, Mmio, Poll, Units};

registers! {
    /// A UART with four channels.
    Uart: 0x1000 {
        /// Identification.
        0x000 => ro ID: u32 where !0 is gone,
        /// Interrupt causes.
        0x004 => w1c CAUSES: u16,
        /// What it does.
        0x008 => rw CONTROL: Control,
        /// Used by no line of this driver.
        0x010 => rw SCRATCH: u64,
        /// Nor this.
        0x020 => rw SCRATCHES: [u8; 3; stride 5],
        /// The channels.
        0x100 => block CHANNELS: [Channel; 4; stride 0x40],
        /// One more.
        0x400 => block DEBUG: Channel,
        /// What has been received.
        0x800 => memory BUFFER: [u8; 0x800],
    }

    /// One channel.
    Channel: 0x40 align 4 {
        /// Data to be sent.
        0x00 => wo DATA: u8,
        /// Errors so far.
        0x04 => rc ERRORS: u32,
        /// The last eight characters' states.
        0x10 => ro STATES: [State; 8; stride 1],
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Control(u32);

impl Control {
    const ENABLED: u32 = 1;

    fn from_bits(bits: u32) -> Self {
        Control(bits)
    }
    fn bits(self) -> u32 {
        self.0
    }
    fn enabled(self) -> Self {
        Control(self.0 | Self::ENABLED)
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct State(u8);

impl State {
    fn new(value: u8) -> Self {
        State(value)
    }
    fn get(self) -> u8 {
        self.0
    }
}

register_values! {
    Control: u32 = from_bits, bits;
    State: u8 = new, get;
}

fn probe<P: Platform>(uart: Mmio<'_, Uart, P>, platform: &P) -> Result<u32, Error> {
    let id = uart.read_or_gone(ID)?;
    uart.modify(CONTROL, Control::enabled);
    uart.write_relaxed(CONTROL, uart.read_relaxed(CONTROL));
    let seen = uart.read(CAUSES);
    uart.clear(CAUSES, seen);

    let mut errors = 0;
    for channel in CHANNELS.all() {
        let channel = uart.block(channel);
        channel.write(DATA, b'x');
        errors += channel.take(ERRORS);
        for state in STATES.all().rev() {
            let State(_) = channel.read(state);
        }
    }
    let last = uart.block(CHANNELS.nth::<3>());
    assert_eq!(last.read(STATES.at(7)?), State(0));
    assert!(CHANNELS.at(4).is_err());
    assert_eq!(uart.block(DEBUG).take(ERRORS), 0);

    let mut packet = [0; 64];
    uart.memory(BUFFER).read_bytes(4, &mut packet)?;

    let how = Poll::spinning(platform, 1.micros(), 10.micros());
    uart.poll(CONTROL, how, |control| control.0 & Control::ENABLED != 0)?;
    assert_eq!(uart.size(), 0x1000);
    Ok(id + errors)
}

struct Ram(Mutex<Vec<u8>>);

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
    let bar = Region::new(Arc::new(Ram(Mutex::new(vec![0; 0x1000]))), 0x1000);
    let id = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &bar, |bar, scope| {
            let uart = scope.map::<Uart>(bar)?;
            probe(uart, scope.platform())
        })
    });
    assert_eq!(id, Ok(0));
}
