//! The machine: QEMU's q35 with two processors, as the firmware leaves it.

pub mod apic;
pub mod boot;
pub mod clock;
pub mod cpu;
pub mod idt;
pub mod lock;
pub mod pci;
pub mod port;
pub mod runtime;
pub mod serial;
pub mod slot;
