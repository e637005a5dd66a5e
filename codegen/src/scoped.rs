//! Through driver-scope, on a bus of real memory.

use std::ptr::NonNull;

use driver_scope::platform::{Bus, DeviceMemory, Host};
use driver_scope::{
    registers, Bound, Devres, Driver, DriverScope, Error, Mmio, PciDevice, Platform, Port,
    Revocable, Word,
};

/// A bus whose devices are in memory, as on a real machine.
enum Memory {}

// SAFETY: nothing can be mapped, so there is nothing to promise.
unsafe impl Bus for Memory {
    type Region = ();
    type Mapping = ();
    type Io = DeviceMemory;

    fn map((): &()) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    fn size((): &()) -> usize {
        0
    }

    fn io((): &()) -> DeviceMemory {
        DeviceMemory::new(NonNull::dangling())
    }

    #[inline(always)]
    unsafe fn part(io: DeviceMemory, offset: usize) -> DeviceMemory {
        // SAFETY: (this and those below) the caller's promise.
        unsafe { io.part(offset) }
    }

    #[inline(always)]
    unsafe fn read<T: Word>(io: DeviceMemory, offset: usize) -> T {
        // SAFETY: see `part`.
        unsafe { io.read(offset) }
    }

    #[inline(always)]
    unsafe fn read_relaxed<T: Word>(io: DeviceMemory, offset: usize) -> T {
        // SAFETY: see `part`.
        unsafe { io.read_relaxed(offset) }
    }

    #[inline(always)]
    unsafe fn write<T: Word>(io: DeviceMemory, offset: usize, value: T) {
        // SAFETY: see `part`.
        unsafe { io.write(offset, value) }
    }

    #[inline(always)]
    unsafe fn write_relaxed<T: Word>(io: DeviceMemory, offset: usize, value: T) {
        // SAFETY: see `part`.
        unsafe { io.write_relaxed(offset, value) }
    }
}

registers! {
    Block: 0x100 {
        0x08 => ro RESULT: u32,
        0x20 => rw STATUS: u32,

        0x00 => ro READ_FIRST: u32,
        0x01 => ro READ_U8: u8,
        0x02 => ro READ_U16: u16,
        0x20 => ro READ_U32: u32,
        0x80 => ro READ_U64: u64,
    }
}

type Regs<'drv> = Mmio<'drv, Block, Host<Memory>>;

// What a driver's data looks like with one.
struct Data<'drv> {
    uses: u32,
    regs: Regs<'drv>,
}

macro_rules! read {
    ($($name:ident: $word:ty, $register:ident;)*) => {$(
        #[no_mangle]
        fn $name(regs: Regs<'_>) -> $word {
            regs.read_relaxed($register)
        }
    )*};
}

read! {
    read_u8: u8, READ_U8;
    read_u16: u16, READ_U16;
    read_u32: u32, READ_U32;
    read_u64: u64, READ_U64;
    read_first: u32, READ_FIRST;
}

#[no_mangle]
fn write_u32(regs: Regs<'_>, value: u32) {
    regs.write_relaxed(STATUS, value);
}

#[no_mangle]
fn set_bit(regs: Regs<'_>) {
    regs.write_relaxed(STATUS, regs.read_relaxed(STATUS) | 0x80);
}

#[no_mangle]
fn wait_idle(regs: Regs<'_>) -> u32 {
    while regs.read_relaxed(STATUS) & 1 != 0 {
        core::hint::spin_loop();
    }
    regs.read_relaxed(RESULT)
}

#[no_mangle]
fn through_data(data: &mut Data<'_>) -> u32 {
    data.uses += 1;
    data.regs.read_relaxed(STATUS)
}

type Held = Mmio<'static, Block, Host<Memory>>;

#[no_mangle]
fn devres_access<'drv>(
    held: &Bound<'drv, Held, Host<Memory>>,
    scope: &DriverScope<'drv, Host<Memory>>,
) -> u32 {
    held.access(scope).read_relaxed(STATUS)
}

#[no_mangle]
fn devres_wait_idle<'drv>(
    held: &Bound<'drv, Held, Host<Memory>>,
    scope: &DriverScope<'drv, Host<Memory>>,
) -> u32 {
    let regs = *held.access(scope);
    while regs.read_relaxed(STATUS) & 1 != 0 {
        core::hint::spin_loop();
    }
    regs.read_relaxed(RESULT)
}

// Those below have no match by hand: they are looked at for what must not be in them.

#[no_mangle]
fn checked_revocable(object: &Revocable<DeviceMemory, Host<Memory>>) -> Option<u32> {
    object.try_access_with(|address| {
        // SAFETY: this code is looked at, never run.
        unsafe { address.read_relaxed(0x20) }
    })
}

#[no_mangle]
fn checked_devres(held: &Devres<Held, Host<Memory>>) -> Option<u32> {
    held.try_access_with(|regs| regs.read_relaxed(STATUS))
}

#[no_mangle]
fn checked_port(port: &Port<Reader, Host<Memory>>) -> Result<u32, Error> {
    port.call(|regs| regs.read_relaxed(STATUS))
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
