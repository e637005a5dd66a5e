//! A slot that a device can be pulled out of and put into: a port of PCI Express with hot plug.

use super::pci::{self, capability, Capability, Function};

/// Offsets in the capability.
const ABILITIES: u16 = 0x14;
const CONTROL: u16 = 0x18;
const STATUS: u16 = 0x1a;

const HOT_PLUG: u32 = 1 << 6;

/// The light beside the slot, and the slot's power.
const LIGHT: u16 = 0b11 << 8;
const LIGHT_ON: u16 = 0b01 << 8;
const LIGHT_OFF: u16 = 0b11 << 8;
const POWER_OFF: u16 = 1 << 10;

/// The button beside the slot was pressed; a device came or went.
const BUTTON: u16 = 1 << 0;
const CHANGED: u16 = 1 << 3;
const PRESENT: u16 = 1 << 6;

/// A slot.
#[derive(Clone, Copy)]
pub struct Slot {
    port: Function,
    capability: Capability,
}

/// The first slot of the machine, if it has any.
pub fn find() -> Option<Slot> {
    pci::all().find_map(|port| {
        let capability = port.capability(capability::EXPRESS)?;
        let slot = Slot { port, capability };
        let abilities = port.read_u32(capability.0 + ABILITIES);
        (port.is_bridge() && abilities & HOT_PLUG != 0).then_some(slot)
    })
}

impl Slot {
    /// What is in it, if anything.
    pub fn function(self) -> Function {
        self.port.behind()
    }

    fn status(self) -> u16 {
        self.port.read_u16(self.capability.0 + STATUS)
    }

    fn control(self, clear: u16, set: u16) {
        let at = self.capability.0 + CONTROL;
        let control = self.port.read_u16(at);
        // SAFETY: about light and power of the slot, and no memory. [MACHINE]
        unsafe { self.port.write_u16(at, control & !clear | set) };
    }

    /// Whether somebody has pressed the button, to have the device out or in, since this was asked last.
    pub fn is_asked(self) -> bool {
        let asked = self.status() & BUTTON != 0;
        if asked {
            // SAFETY: takes notice of what is set, and no more. [MACHINE]
            unsafe {
                self.port
                    .write_u16(self.capability.0 + STATUS, BUTTON | CHANGED)
            };
        }
        asked
    }

    /// Whether there is something in it.
    pub fn is_taken(self) -> bool {
        self.status() & PRESENT != 0
    }

    /// Takes its power: whoever wants the device can have it now.
    pub fn power_off(self) {
        self.control(LIGHT, LIGHT_OFF | POWER_OFF);
    }

    /// Gives it power.
    pub fn power_on(self) {
        self.control(LIGHT | POWER_OFF, LIGHT_ON);
    }
}
