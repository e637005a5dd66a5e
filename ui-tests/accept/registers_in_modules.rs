// Registers of the same name in two modules, with each visibility; in a function; and functions that take any register.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]
//! Missing documentation is denied.

use driver_scope::mmio::{Holds, Item, One, Place, Readable, Writable};
use driver_scope::platform::{Platform, Sim};
use driver_scope::{Mmio, Registers};

/// A UART.
pub mod uart {
    driver_scope::registers! {
        /// Seen by everybody.
        pub Block: 0x20 {
            /// What it does.
            0x00 => rw STATUS: u32,
            /// What it has received.
            0x08 => ro DATA: [u8; 8; stride 2],
        }
    }
}

mod gpio {
    driver_scope::registers! {
        /// Seen by this crate.
        pub(crate) Block: 0x20 {
            /// The levels.
            0x1c => rw STATUS: u32,
            /// One a pin.
            0x00 => rw PINS: [u16; 4; stride 2],
        }

        /// Seen by the module above.
        pub(super) Other: 0x8 {}
    }

    pub(super) mod inner {
        driver_scope::registers! {
            pub(in crate::gpio) Hidden: 0x8 { 0x0 => rw HIDDEN: [u8; 2; stride 1] }
        }
        pub const fn size() -> usize {
            <Hidden as driver_scope::Registers>::SIZE
        }
    }
}

/// Any register of any block.
fn copy<R: Registers, P: Platform, A: Place<R>, B: Place<R>>(regs: Mmio<'_, R, P>, from: A, to: B)
where
    A::Content: Readable<A::Item>,
    B::Content: Writable<B::Item> + Holds<Value = <A::Content as Holds>::Value>,
{
    regs.write(to, regs.read(from));
}

/// Any single register, and its own block.
fn get<I: Item<Shape = One>, P: Platform>(
    regs: Mmio<'_, I::Block, P>,
    register: I,
) -> <I::Content as Holds>::Value
where
    I::Content: Readable<I>,
{
    regs.read(register)
}

fn both<P: Platform>(uart: Mmio<'_, uart::Block, P>, gpio: Mmio<'_, gpio::Block, P>) -> u32 {
    copy(gpio, gpio::PINS.nth::<0>(), gpio::PINS.nth::<3>());
    // The block is inferred from the register.
    let uart: Mmio<'_, _, P> = uart;
    uart.read(uart::STATUS) + get(gpio, gpio::STATUS) + u32::from(uart.read(uart::DATA.nth::<7>()))
}

fn local<P: Platform>(bytes: Mmio<'_, [u8], P>) -> Result<u32, driver_scope::Error> {
    driver_scope::registers! {
        Local: 0x4 { 0x0 => rw STATUS: u32 }
    }
    Ok(bytes.block::<Local>()?.read(STATUS))
}

// Names that the macro uses, too.
mod names {
    driver_scope::registers! {
        #[allow(dead_code)]
        pub B: 64 {
            0x00 => rw MISFIT: u32,
            0x08 => rw INDEX: [u32; 2; stride 4],
            0x10 => rw SIZE: u8,
            0x11 => rw OFFSET: [u8; 3; stride 1],
        }
    }
    pub fn all() -> (MISFIT, SIZE, driver_scope::mmio::Element<INDEX>) {
        let _ = OFFSET.at(2);
        (MISFIT, SIZE, INDEX.nth::<1>())
    }
}

fn main() {
    let _ = names::all();
    let _: fn(Mmio<'_, uart::Block, Sim>, Mmio<'_, gpio::Block, Sim>) -> u32 = both;
    let _: fn(Mmio<'_, [u8], Sim>) -> Result<u32, driver_scope::Error> = local;
    assert_eq!(gpio::Other::SIZE + gpio::inner::size(), 0x10);
}
