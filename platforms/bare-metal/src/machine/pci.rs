//! PCI functions: their configuration space, which on this machine is mapped, and what is in it.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::boot::{address, DEVICES};
use super::port;

/// Offsets in the configuration space of every function.
pub mod offset {
    pub const VENDOR: u16 = 0x00;
    pub const DEVICE: u16 = 0x02;
    pub const COMMAND: u16 = 0x04;
    pub const STATUS: u16 = 0x06;
    pub const HEADER: u16 = 0x0e;
    pub const BAR: u16 = 0x10;
    pub const SECONDARY_BUS: u16 = 0x19;
    pub const CAPABILITIES: u16 = 0x34;
}

/// Bits of the command register.
pub mod command {
    pub const MEMORY: u16 = 1 << 1;
    pub const BUS_MASTER: u16 = 1 << 2;
}

/// Kinds of capabilities.
pub mod capability {
    pub const MSI: u8 = 0x05;
    pub const EXPRESS: u8 = 0x10;
}

/// The vendor that is read where no function is.
pub const NOBODY: u16 = 0xffff;

/// How many buses there may be, as far as this machine goes.
const BUSES: u8 = 8;

/// Where the configuration space of all functions is mapped. Relaxed: written before the second processor is started, and never again.
static BASE: AtomicU64 = AtomicU64::new(0);

/// A place for a function: there may be none in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Function {
    bus: u8,
    device: u8,
    function: u8,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}:{:02x}.{}", self.bus, self.device, self.function)
    }
}

/// Looks where the configuration space is mapped, which the firmware has decided.
///
/// # Panics
/// If that is nowhere, or where this image does not expect a device.
pub fn set_up() {
    /// Bus 0, device 0 (the host bridge), register 0x60.
    const WHERE: u32 = 0x8000_0060;
    // SAFETY: the two ports are the way to configuration space for those that do not know the other yet; only this processor runs. [MACHINE]
    let where_mapped = unsafe {
        port::write_u32(0xcf8, WHERE);
        port::read_u32(0xcfc)
    };
    assert!(where_mapped & 1 != 0, "configuration space is not mapped");
    let base = u64::from(where_mapped & !0x03ff_ffff);
    assert!(DEVICES.contains(&base), "configuration space at {base:#x}");
    BASE.store(base, Relaxed);
}

/// The first function with these ids.
pub fn find(vendor: u16, device: u16) -> Option<Function> {
    all().find(|function| function.id() == (vendor, device))
}

/// All functions that are there, on buses that are there.
pub fn all() -> impl Iterator<Item = Function> {
    (0..BUSES)
        .flat_map(|bus| (0..32).map(move |device| (bus, device)))
        .flat_map(|(bus, device)| {
            (0..8).map(move |function| Function {
                bus,
                device,
                function,
            })
        })
        .filter(|function| function.vendor() != NOBODY)
}

/// A bridge's or a device's capability, by where it begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Capability(pub u16);

impl Function {
    /// Device 0 on the bus behind this bridge.
    pub fn behind(self) -> Self {
        Function {
            bus: self.read_u8(offset::SECONDARY_BUS),
            device: 0,
            function: 0,
        }
    }

    /// Whether it is a bridge to another bus.
    pub fn is_bridge(self) -> bool {
        self.read_u8(offset::HEADER) & 0x7f == 1
    }

    fn address(self, offset: u16) -> u64 {
        let Function {
            bus,
            device,
            function,
        } = self;
        let number = u64::from(bus) << 20 | u64::from(device) << 15 | u64::from(function) << 12;
        BASE.load(Relaxed) + number + u64::from(offset & 0xfff)
    }

    /// Reads from its configuration space; all ones, if there is no such function.
    ///
    /// Context: any.
    pub fn read_u8(self, offset: u16) -> u8 {
        // SAFETY: (this and the two below) mapped, not cached, aligned; a read of configuration space changes nothing. [MACHINE]
        unsafe { address::<u8>(self.address(offset)).read_volatile() }
    }

    /// See [`read_u8`](Function::read_u8).
    pub fn read_u16(self, offset: u16) -> u16 {
        // SAFETY: see `read_u8`. [MACHINE]
        unsafe { address::<u16>(self.address(offset & !1)).read_volatile() }
    }

    /// See [`read_u8`](Function::read_u8).
    pub fn read_u32(self, offset: u16) -> u32 {
        // SAFETY: see `read_u8`. [MACHINE]
        unsafe { address::<u32>(self.address(offset & !3)).read_volatile() }
    }

    /// Writes to its configuration space; nothing happens, if there is no such function.
    ///
    /// # Safety
    /// It moves no BAR over what is something else's, and lets the device reach no memory but what it was given.
    pub unsafe fn write_u16(self, offset: u16, value: u16) {
        // SAFETY: mapped, not cached, aligned; the rest is the caller's promise. [MACHINE, CALLER]
        unsafe { address::<u16>(self.address(offset & !1)).write_volatile(value) }
    }

    /// See [`write_u16`](Function::write_u16).
    ///
    /// # Safety
    /// As there.
    pub unsafe fn write_u32(self, offset: u16, value: u32) {
        // SAFETY: as in `write_u16`. [MACHINE, CALLER]
        unsafe { address::<u32>(self.address(offset & !3)).write_volatile(value) }
    }

    /// Sets and clears bits of the command register.
    ///
    /// Context: one caller at a time for a function.
    ///
    /// # Safety
    /// As for [`write_u16`](Function::write_u16).
    pub unsafe fn command(self, set: u16, clear: u16) {
        let command = self.read_u16(offset::COMMAND);
        // SAFETY: the caller's promise. (The other half of the word, the status, takes ones only to clear something; this is 16 bits.) [CALLER]
        unsafe { self.write_u16(offset::COMMAND, command & !clear | set) };
    }

    /// Who made it; [`NOBODY`] if it is not there.
    pub fn vendor(self) -> u16 {
        self.read_u16(offset::VENDOR)
    }

    /// Vendor and device.
    pub fn id(self) -> (u16, u16) {
        (self.vendor(), self.read_u16(offset::DEVICE))
    }

    /// Whether its interrupt is asserted, as far as that is not told by a message.
    pub fn has_interrupt(self) -> bool {
        const INTERRUPT: u16 = 1 << 3;
        self.vendor() != NOBODY && self.read_u16(offset::STATUS) & INTERRUPT != 0
    }

    /// A capability of this kind.
    pub fn capability(self, kind: u8) -> Option<Capability> {
        const LIST: u16 = 1 << 4;
        if self.vendor() == NOBODY || self.read_u16(offset::STATUS) & LIST == 0 {
            return None;
        }
        let mut at = self.read_u8(offset::CAPABILITIES);
        // They are 4 bytes at least, so a list that is longer goes round.
        for _ in 0..64 {
            let here = u16::from(at & !3);
            if here == 0 {
                break;
            }
            if self.read_u8(here) == kind {
                return Some(Capability(here));
            }
            at = self.read_u8(here + 1);
        }
        None
    }

    /// Has a memory BAR of 32 bits begin there: for a device that the firmware has not seen.
    ///
    /// # Safety
    /// As for [`write_u16`](Function::write_u16): the bridges before it lead there, and nothing else is there, as far as the BAR reaches.
    pub unsafe fn place_bar(self, number: u8, start: u64) {
        let at = offset::BAR + u16::from(number.min(5)) * 4;
        // SAFETY: the caller's promise. [CALLER]
        unsafe { self.write_u32(at, start as u32) };
    }

    /// Where a memory BAR of 32 bits is, and how many bytes it covers. For a function that nobody uses: it does not answer meanwhile.
    pub fn bar(self, number: u8) -> Option<(u64, usize)> {
        let at = offset::BAR + u16::from(number.min(5)) * 4;
        let here = self.read_u32(at);
        // No ports, no 64 bits (which this machine's devices do without), and somewhere.
        if here & 0b111 != 0 || here & !0xf == 0 {
            return None;
        }
        // SAFETY: while the BAR says nonsense, to be told its size, the device does not decode it; then it is put back. [MACHINE]
        let mask = unsafe {
            let command = self.read_u16(offset::COMMAND);
            self.command(0, command::MEMORY);
            self.write_u32(at, u32::MAX);
            let mask = self.read_u32(at);
            self.write_u32(at, here);
            self.write_u16(offset::COMMAND, command);
            mask
        };
        let size = (!(mask & !0xf)).wrapping_add(1);
        (size != 0).then_some((u64::from(here & !0xf), size as usize))
    }
}
