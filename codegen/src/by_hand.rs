//! By hand.

use core::arch::asm;
use core::cell::Cell;

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use driver_scope::platform::DmaBlock;
use driver_scope::Error;

/// A block of registers: what `Mmio` stands for.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Block(pub *const u8);

impl Block {
    /// A register.
    fn at<T>(self, offset: usize) -> *mut T {
        // SAFETY: inside the block; this code is compared, never run. The same goes for all that follows.
        unsafe { self.0.add(offset).cast::<T>().cast_mut() }
    }
}

/// A region whose size is known at run time only.
#[derive(Clone, Copy)]
struct Bytes {
    start: Block,
    len: usize,
}

// The barriers. On x86 only the compiler must be held back, by an assembly of nothing that may touch all memory.

macro_rules! barriers {
    ($($machine:literal: $after_read:literal, $before_write:literal;)*) => {$(
        #[cfg(target_arch = $machine)]
        #[inline(always)]
        fn after_read() {
            // SAFETY: a barrier only orders.
            unsafe { asm!($after_read, options(nostack, preserves_flags)) }
        }

        #[cfg(target_arch = $machine)]
        #[inline(always)]
        fn before_write() {
            // SAFETY: as above.
            unsafe { asm!($before_write, options(nostack, preserves_flags)) }
        }
    )*};
}

barriers! {
    "x86_64": "", "";
    "aarch64": "dmb oshld", "dmb oshst";
    "riscv64": "fence ir, ir", "fence ow, ow";
}

// Single accesses, without order.

macro_rules! read {
    ($($name:ident: $word:ty, $offset:literal;)*) => {$(
        #[no_mangle]
        fn $name(regs: Block) -> $word {
            // SAFETY: see `Block::at`.
            unsafe { regs.at::<$word>($offset).read_volatile() }
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
fn write_u32(regs: Block, value: u32) {
    // SAFETY: see `Block::at`.
    unsafe { regs.at::<u32>(0x20).write_volatile(value) }
}

#[no_mangle]
fn set_bit(regs: Block) {
    let register = regs.at::<u32>(0x20);
    // SAFETY: see `Block::at`.
    unsafe { register.write_volatile(register.read_volatile() | 0x80) }
}

#[no_mangle]
fn wait_idle(regs: Block) -> u32 {
    // SAFETY: see `Block::at`.
    unsafe {
        while regs.at::<u32>(0x20).read_volatile() & 1 != 0 {
            core::hint::spin_loop();
        }
        regs.at::<u32>(0x08).read_volatile()
    }
}

// What a driver's data looks like with one.
struct Data {
    uses: u32,
    regs: Block,
}

#[no_mangle]
fn through_data(data: &mut Data) -> u32 {
    data.uses += 1;
    // SAFETY: see `Block::at`.
    unsafe { data.regs.at::<u32>(0x20).read_volatile() }
}

// With order against memory.

#[no_mangle]
fn read_then_memory(regs: Block, memory: &Cell<u32>) -> u32 {
    let before = memory.get();
    // SAFETY: see `Block::at`.
    let word = unsafe { regs.at::<u32>(0x10).read_volatile() };
    after_read();
    word.wrapping_add(memory.get()).wrapping_sub(before)
}

#[no_mangle]
fn memory_then_write(regs: Block, memory: &Cell<u32>, value: u32) {
    memory.set(value);
    before_write();
    // SAFETY: see `Block::at`.
    unsafe { regs.at::<u32>(0x10).write_volatile(1) };
    memory.set(0);
}

#[no_mangle]
fn take(regs: Block) -> u32 {
    // SAFETY: see `Block::at`.
    let word = unsafe { regs.at::<u32>(0x28).read_volatile() };
    after_read();
    word
}

#[no_mangle]
fn clear(regs: Block, seen: u32) {
    before_write();
    // SAFETY: see `Block::at`.
    unsafe { regs.at::<u32>(0x24).write_volatile(seen) }
}

// Memory that the device reads and writes: relaxed atomics, and the same barriers.

/// Words in memory: what `DmaBuffer` stands for.
#[derive(Clone, Copy)]
pub struct Words(DmaBlock);

/// What `DmaRing` stands for.
#[derive(Clone, Copy)]
pub struct Ring {
    words: Words,
    count: usize,
}

impl Words {
    #[inline(always)]
    fn at(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: see `Block::at`.
        unsafe { AtomicU32::from_ptr(self.0.cpu.as_ptr().add(offset).cast()) }
    }

    #[inline(always)]
    fn wide_at(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: see `Block::at`.
        unsafe { AtomicU64::from_ptr(self.0.cpu.as_ptr().add(offset).cast()) }
    }
}

#[no_mangle]
fn dma_then_doorbell(regs: Block, memory: Words, value: u32) {
    memory.at(0x20).store(value, Relaxed);
    before_write();
    // SAFETY: see `Block::at`.
    unsafe { regs.at::<u32>(0x10).write_volatile(2) };
    memory.at(0x20).store(0, Relaxed);
}

#[no_mangle]
fn status_then_dma(regs: Block, memory: Words) -> u32 {
    let before = memory.at(0x20).load(Relaxed);
    // SAFETY: see `Block::at`.
    let word = unsafe { regs.at::<u32>(0x20).read_volatile() };
    after_read();
    word.wrapping_add(memory.at(0x20).load(Relaxed))
        .wrapping_sub(before)
}

#[no_mangle]
fn descriptor_then_doorbell(
    regs: Block,
    ring: Ring,
    index: usize,
    address: u64,
    flags: u64,
) -> Option<()> {
    if index >= ring.count {
        return None;
    }
    let (words, at) = (ring.words, index * 16);
    words.wide_at(at).store(address, Relaxed);
    words.wide_at(at + 8).store(flags, Relaxed);
    before_write();
    // SAFETY: see `Block::at`.
    unsafe { regs.at::<u32>(0x10).write_volatile(3) };
    Some(())
}

#[no_mangle]
fn publish(ring: Ring, index: usize, address: u64, flags: u64) -> Option<()> {
    if index >= ring.count {
        return None;
    }
    let (words, at) = (ring.words, index * 16);
    words.wide_at(at).store(address, Relaxed);
    before_write();
    words.wide_at(at + 8).store(flags, Relaxed);
    Some(())
}

#[no_mangle]
fn observe(ring: Ring, index: usize) -> Option<u64> {
    if index >= ring.count {
        return None;
    }
    let (words, at) = (ring.words, index * 16);
    let flags = words.wide_at(at + 8).load(Relaxed);
    after_read();
    Some(words.wide_at(at).load(Relaxed) ^ flags)
}

// Fields.

#[no_mangle]
fn read_field(regs: Block) -> u8 {
    // SAFETY: see `Block::at`.
    let word = unsafe { regs.at::<u32>(0x14).read_volatile() };
    after_read();
    (word >> 4) as u8 & 7
}

#[no_mangle]
fn modify(regs: Block, mode: u8) {
    let register = regs.at::<u32>(0x14);
    // SAFETY: see `Block::at`.
    let word = unsafe { register.read_volatile() };
    after_read();
    let word = word & !0x70 | u32::from(mode & 7) << 4 | 1;
    before_write();
    // SAFETY: see `Block::at`.
    unsafe { register.write_volatile(word) }
}

#[no_mangle]
fn modify_relaxed(regs: Block, mode: u8) {
    let register = regs.at::<u32>(0x14);
    // SAFETY: see `Block::at`.
    unsafe {
        let word = register.read_volatile();
        register.write_volatile(word & !0x70 | u32::from(mode & 7) << 4 | 1);
    }
}

// Elements, nested blocks.

#[no_mangle]
fn element_nth(regs: Block) -> u32 {
    // SAFETY: see `Block::at`.
    let word = unsafe { regs.at::<u32>(0x100 + 3 * 8).read_volatile() };
    after_read();
    word
}

#[no_mangle]
fn element_at(regs: Block, index: usize) -> Result<u32, Error> {
    if index >= 8 {
        return Err(Error::NoSuchElement { index, count: 8 });
    }
    // SAFETY: see `Block::at`.
    let word = unsafe { regs.at::<u32>(0x100 + index * 8).read_volatile() };
    after_read();
    Ok(word)
}

#[no_mangle]
fn nested_nth(regs: Block) -> u32 {
    // SAFETY: see `Block::at`.
    let word = unsafe { regs.at::<u32>(0x200 + 2 * 0x40 + 0x0c).read_volatile() };
    after_read();
    word
}

#[no_mangle]
fn nested_at(regs: Block, index: usize, value: u32) -> Result<(), Error> {
    if index >= 4 {
        return Err(Error::NoSuchElement { index, count: 4 });
    }
    let channel = Block(regs.at(0x200 + index * 0x40));
    before_write();
    // SAFETY: see `Block::at`.
    unsafe {
        channel.at::<u32>(0x0c).write_volatile(value);
        channel.at::<u16>(0x10).write_volatile(1);
    }
    Ok(())
}

// A big-endian device.

#[no_mangle]
fn read_big_endian(regs: Block) -> u32 {
    // SAFETY: see `Block::at`.
    let word = unsafe { regs.at::<u32>(0x0c).read_volatile() };
    after_read();
    u32::from_be(word)
}

#[no_mangle]
fn write_big_endian(regs: Block, tag: u16) {
    let word = tag.to_be();
    before_write();
    // SAFETY: see `Block::at`.
    unsafe { regs.at::<u16>(0x10).write_volatile(word) }
}

// A device that may vanish.

#[no_mangle]
fn read_or_gone(regs: Block) -> Result<u32, Error> {
    // SAFETY: see `Block::at`.
    let word = unsafe { regs.at::<u32>(0x2c).read_volatile() };
    after_read();
    if word == !0 {
        return Err(Error::Gone);
    }
    Ok(word)
}

// A region whose size is known at run time only.

fn check(bytes: Bytes, offset: usize, width: usize, align: usize) -> Result<(), Error> {
    if offset % align != 0 {
        return Err(Error::Misaligned {
            offset,
            width: align,
        });
    }
    if width > bytes.len || offset > bytes.len - width {
        return Err(Error::OutOfBounds {
            offset,
            width,
            size: bytes.len,
        });
    }
    Ok(())
}

#[no_mangle]
fn try_read(bytes: Bytes, offset: usize) -> Result<u32, Error> {
    check(bytes, offset, 4, 4)?;
    // SAFETY: see `Block::at`.
    let word = unsafe { bytes.start.at::<u32>(offset).read_volatile() };
    after_read();
    Ok(word)
}

#[no_mangle]
fn try_write(bytes: Bytes, offset: usize, value: u16) -> Result<(), Error> {
    check(bytes, offset, 2, 2)?;
    before_write();
    // SAFETY: see `Block::at`.
    unsafe { bytes.start.at::<u16>(offset).write_volatile(value) };
    Ok(())
}

#[no_mangle]
fn block_once(bytes: Bytes) -> Option<u32> {
    check(bytes, 0, 0x400, 8).ok()?;
    before_write();
    // SAFETY: see `Block::at`.
    let word = unsafe {
        bytes.start.at::<u32>(0x10).write_volatile(1);
        bytes.start.at::<u32>(0x08).read_volatile()
    };
    after_read();
    Some(word)
}

#[no_mangle]
fn split_once(bytes: Bytes, middle: usize) -> Option<u32> {
    check(bytes, middle, 0, 8).ok()?;
    let upper = Bytes {
        start: Block(bytes.start.at(middle)),
        len: bytes.len - middle,
    };
    check(upper, 0, 0x40, 8).ok()?;
    let register = upper.start.at::<u32>(0x0c);
    before_write();
    // SAFETY: see `Block::at`.
    let word = unsafe {
        register.write_volatile(1);
        register.read_volatile()
    };
    after_read();
    Some(word)
}

// An interrupt: what a platform calls.

#[no_mangle]
extern "C" fn irq_entry(context: *const ()) -> bool {
    // SAFETY: what was given with it is the registers; see `Block::at`.
    let word = unsafe { (*context.cast::<Block>()).at::<u32>(0x30).read_volatile() };
    after_read();
    word & 1 != 0
}
