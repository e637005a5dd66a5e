//! Through driver-scope.

use core::cell::Cell;

use driver_scope::dma::Descriptor;
use driver_scope::{
    register_values, registers, DmaBuffer, DmaRing, DriverScope, Error, Irq, IrqReturn, Mmio,
};

use self::platform::Nowhere;

pub mod platform;

registers! {
    pub Block: 0x400 {
        0x08 => ro RESULT: u32,
        0x20 => rw STATUS: u32,

        0x00 => ro READ_FIRST: u32,
        0x01 => ro READ_U8: u8,
        0x02 => ro READ_U16: u16,
        0x20 => ro READ_U32: u32,
        0x80 => ro READ_U64: u64,

        0x10 => rw COMMAND: u32,
        0x14 => rw CONTROL: Control,
        0x24 => w1c CAUSES: u32,
        0x28 => rc ERRORS: u32,
        0x2c => ro ID: u32 where !0 is gone,
        0x30 => ro PENDING: u32,
        0x100 => rw LIMITS: [u32; 8; stride 8],
        0x200 => block CHANNEL: [Channel; 4; stride 0x40],
    }

    pub Channel: 0x40 {
        0x0c => rw COUNT: u32,
        0x10 => rw LEFT: u16,
    }

    pub BigEndian: 0x40 big endian {
        0x0c => rw LENGTH: u32,
        0x10 => rw TAG: u16,
    }
}

/// A register with fields.
#[derive(Clone, Copy)]
pub struct Control(u32);

impl Control {
    fn from_bits(bits: u32) -> Self {
        Control(bits)
    }
    fn bits(self) -> u32 {
        self.0
    }
    /// Bits 6:4.
    fn mode(self) -> u8 {
        (self.0 >> 4) as u8 & 7
    }
    fn with_mode(self, mode: u8) -> Self {
        Control(self.0 & !0x70 | u32::from(mode & 7) << 4)
    }
    /// Bit 0.
    fn enabled(self) -> Self {
        Control(self.0 | 1)
    }
}

register_values! { Control: u32 = from_bits, bits }

type Regs<'drv> = Mmio<'drv, Block, Nowhere>;
type Bytes<'drv> = Mmio<'drv, [u8], Nowhere>;

// Single accesses, without order.

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

// What a driver's data looks like with a handle.
struct Data<'drv> {
    uses: u32,
    regs: Regs<'drv>,
}

#[no_mangle]
fn through_data(data: &mut Data<'_>) -> u32 {
    data.uses += 1;
    data.regs.read_relaxed(STATUS)
}

// With order against memory. What is read or written beside the access shows that the compiler keeps to the order as well: without it, it
// would read the memory once, and drop the first of the two writes.

#[no_mangle]
fn read_then_memory(regs: Regs<'_>, memory: &Cell<u32>) -> u32 {
    let before = memory.get();
    regs.read(COMMAND)
        .wrapping_add(memory.get())
        .wrapping_sub(before)
}

#[no_mangle]
fn memory_then_write(regs: Regs<'_>, memory: &Cell<u32>, value: u32) {
    memory.set(value);
    regs.write(COMMAND, 1);
    memory.set(0);
}

#[no_mangle]
fn take(regs: Regs<'_>) -> u32 {
    regs.take(ERRORS)
}

#[no_mangle]
fn clear(regs: Regs<'_>, seen: u32) {
    regs.clear(CAUSES, seen);
}

// Memory that the device reads and writes. What is done twice shows again that the compiler keeps to the order.

/// What is passed to the device: the last word tells whose it is.
#[derive(Clone, Copy)]
pub struct Send {
    address: u64,
    flags: u64,
}

impl Descriptor for Send {
    type Words = [u64; 2];
    #[inline(always)]
    fn to_words(self) -> [u64; 2] {
        [self.address, self.flags]
    }
    #[inline(always)]
    fn from_words([address, flags]: [u64; 2]) -> Self {
        Send { address, flags }
    }
}

type Ring<'drv> = DmaRing<'drv, Send, Nowhere>;

#[no_mangle]
fn dma_then_doorbell(regs: Regs<'_>, memory: DmaBuffer<'_, Block, Nowhere>, value: u32) {
    memory.write(STATUS, value);
    regs.write(COMMAND, 2);
    memory.write(STATUS, 0);
}

#[no_mangle]
fn status_then_dma(regs: Regs<'_>, memory: DmaBuffer<'_, Block, Nowhere>) -> u32 {
    let before = memory.read(STATUS);
    regs.read(STATUS)
        .wrapping_add(memory.read(STATUS))
        .wrapping_sub(before)
}

#[no_mangle]
fn descriptor_then_doorbell(
    regs: Regs<'_>,
    ring: Ring<'_>,
    index: usize,
    address: u64,
    flags: u64,
) -> Option<()> {
    ring.set(index, Send { address, flags }).ok()?;
    regs.write(COMMAND, 3);
    Some(())
}

#[no_mangle]
fn publish(ring: Ring<'_>, index: usize, address: u64, flags: u64) -> Option<()> {
    ring.publish(index, Send { address, flags }).ok()
}

#[no_mangle]
fn observe(ring: Ring<'_>, index: usize) -> Option<u64> {
    let seen = ring.observe(index).ok()?;
    Some(seen.address ^ seen.flags)
}

// Fields.

#[no_mangle]
fn read_field(regs: Regs<'_>) -> u8 {
    regs.read(CONTROL).mode()
}

#[no_mangle]
fn modify(regs: Regs<'_>, mode: u8) {
    regs.modify(CONTROL, |control| control.with_mode(mode).enabled());
}

#[no_mangle]
fn modify_relaxed(regs: Regs<'_>, mode: u8) {
    regs.modify_relaxed(CONTROL, |control| control.with_mode(mode).enabled());
}

// Elements, nested blocks.

#[no_mangle]
fn element_nth(regs: Regs<'_>) -> u32 {
    regs.read(LIMITS.nth::<3>())
}

#[no_mangle]
fn element_at(regs: Regs<'_>, index: usize) -> Result<u32, Error> {
    Ok(regs.read(LIMITS.at(index)?))
}

#[no_mangle]
fn nested_nth(regs: Regs<'_>) -> u32 {
    regs.block(CHANNEL.nth::<2>()).read(COUNT)
}

#[no_mangle]
fn nested_at(regs: Regs<'_>, index: usize, value: u32) -> Result<(), Error> {
    let channel = regs.block(CHANNEL.at(index)?);
    channel.write(COUNT, value);
    channel.write_relaxed(LEFT, 1);
    Ok(())
}

// A big-endian device.

#[no_mangle]
fn read_big_endian(regs: Mmio<'_, BigEndian, Nowhere>) -> u32 {
    regs.read(LENGTH)
}

#[no_mangle]
fn write_big_endian(regs: Mmio<'_, BigEndian, Nowhere>, tag: u16) {
    regs.write(TAG, tag);
}

// A device that may vanish.

#[no_mangle]
fn read_or_gone(regs: Regs<'_>) -> Result<u32, Error> {
    regs.read_or_gone(ID)
}

// A region whose size is known at run time only.

#[no_mangle]
fn try_read(bytes: Bytes<'_>, offset: usize) -> Result<u32, Error> {
    bytes.try_read(offset)
}

#[no_mangle]
fn try_write(bytes: Bytes<'_>, offset: usize, value: u16) -> Result<(), Error> {
    bytes.try_write(offset, value)
}

// How the error is put together is left out of these two: that depends on the way of it through the calls, and not on the access.

#[no_mangle]
fn block_once(bytes: Bytes<'_>) -> Option<u32> {
    let regs = bytes.block::<Block>().ok()?;
    regs.write(COMMAND, 1);
    Some(regs.read(RESULT))
}

#[no_mangle]
fn split_once(bytes: Bytes<'_>, middle: usize) -> Option<u32> {
    let (_, upper) = bytes.split_at(middle).ok()?;
    let channel = upper.block::<Channel>().ok()?;
    channel.write(COUNT, 1);
    Some(channel.read(COUNT))
}

// Copies have no match by hand: they are looked at for what must not be in them.

#[no_mangle]
fn copy_words_in(bytes: Bytes<'_>, to: &mut [u32]) -> Result<(), Error> {
    bytes.read_words(0, to)
}

#[no_mangle]
fn copy_words_out(bytes: Bytes<'_>, from: &[u32]) -> Result<(), Error> {
    bytes.write_words(0, from)
}

// An interrupt. What is looked at is not this function, but the entry that the library gives to the platform for this handler.

#[no_mangle]
fn irq_register<'drv>(
    scope: &DriverScope<'drv, Nowhere>,
    regs: Regs<'drv>,
) -> Result<Irq<'drv, Nowhere>, Error> {
    scope.irq(&(), move |_| IrqReturn::from(regs.read(PENDING) & 1 != 0))
}
