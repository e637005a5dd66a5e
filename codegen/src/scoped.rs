//! Through driver-scope, on a bus of real memory.

use std::ptr::NonNull;

use driver_scope::platform::{Bus, Host};
use driver_scope::{
    Bound, Devres, Driver, DriverScope, Error, Mmio, PciDevice, Platform, Port, Reg, Registers,
    Revocable, Word,
};

/// A bus whose devices are in memory, as on a real machine.
enum Memory {}

#[derive(Clone, Copy)]
#[repr(transparent)]
struct Address(NonNull<u8>);

// SAFETY: an address; this code is compared, never run.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

// SAFETY: nothing can be mapped, so there is nothing to promise.
unsafe impl Bus for Memory {
    type Region = ();
    type Mapping = ();
    type Io = Address;

    fn map((): &()) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    fn size((): &()) -> usize {
        0
    }

    fn io((): &()) -> Address {
        Address(NonNull::dangling())
    }

    #[inline(always)]
    unsafe fn read<T: Word>(io: Address, offset: usize) -> T {
        // SAFETY: inside the mapping and aligned, says the caller.
        unsafe { T::read_volatile(io.0.as_ptr().add(offset).cast()) }
    }

    #[inline(always)]
    unsafe fn write<T: Word>(io: Address, offset: usize, value: T) {
        // SAFETY: as in `read`.
        unsafe { T::write_volatile(io.0.as_ptr().add(offset).cast(), value) }
    }
}

enum Block {}

impl Registers for Block {
    const SIZE: usize = 0x100;
}

const STATUS: Reg<Block, u32> = Reg::at(0x20);
const RESULT: Reg<Block, u32> = Reg::at(0x08);

type Regs<'drv> = Mmio<'drv, Block, Host<Memory>>;

// What a driver's data looks like with one.
struct Data<'drv> {
    uses: u32,
    regs: Regs<'drv>,
}

macro_rules! read {
    ($($name:ident: $word:ty, $offset:literal;)*) => {$(
        #[no_mangle]
        fn $name(regs: Regs<'_>) -> $word {
            const REGISTER: Reg<Block, $word> = Reg::at($offset);
            regs.read(REGISTER)
        }
    )*};
}

read! {
    read_u8: u8, 0x01;
    read_u16: u16, 0x02;
    read_u32: u32, 0x20;
    read_u64: u64, 0x80;
    read_first: u32, 0;
}

#[no_mangle]
fn write_u32(regs: Regs<'_>, value: u32) {
    regs.write(STATUS, value);
}

#[no_mangle]
fn set_bit(regs: Regs<'_>) {
    regs.write(STATUS, regs.read(STATUS) | 0x80);
}

#[no_mangle]
fn wait_idle(regs: Regs<'_>) -> u32 {
    while regs.read(STATUS) & 1 != 0 {
        core::hint::spin_loop();
    }
    regs.read(RESULT)
}

#[no_mangle]
fn through_data(data: &mut Data<'_>) -> u32 {
    data.uses += 1;
    data.regs.read(STATUS)
}

type Held = Mmio<'static, Block, Host<Memory>>;

#[no_mangle]
fn devres_access<'drv>(
    held: &Bound<'drv, Held, Host<Memory>>,
    scope: &DriverScope<'drv, Host<Memory>>,
) -> u32 {
    held.access(scope).read(STATUS)
}

#[no_mangle]
fn devres_wait_idle<'drv>(
    held: &Bound<'drv, Held, Host<Memory>>,
    scope: &DriverScope<'drv, Host<Memory>>,
) -> u32 {
    let regs = *held.access(scope);
    while regs.read(STATUS) & 1 != 0 {
        core::hint::spin_loop();
    }
    regs.read(RESULT)
}

// Those below have no match by hand: they are looked at for what must not be in them.

#[no_mangle]
fn checked_revocable(object: &Revocable<Address, Host<Memory>>) -> Option<u32> {
    object.try_access_with(|address| {
        // SAFETY: this code is looked at, never run.
        unsafe { u32::read_volatile(address.0.as_ptr().add(0x20).cast()) }
    })
}

#[no_mangle]
fn checked_devres(held: &Devres<Held, Host<Memory>>) -> Option<u32> {
    held.try_access_with(|regs| regs.read(STATUS))
}

#[no_mangle]
fn checked_port(port: &Port<Reader, Host<Memory>>) -> Result<u32, Error> {
    port.call(|regs| regs.read(STATUS))
}

/// A driver whose data is the registers.
struct Reader;

impl<P: Platform> Driver<P> for Reader {
    type Device = PciDevice<P>;
    type Data<'drv> = Mmio<'drv, Block, P>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv PciDevice<P>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Mmio<'drv, Block, P>, Error> {
        scope.map(device.bar(0)?)
    }
}
