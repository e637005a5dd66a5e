//! By hand.

/// A block of registers: what `Mmio` stands for.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Block(*const u8);

// What a driver's data looks like with one.
struct Data {
    uses: u32,
    regs: Block,
}

macro_rules! read {
    ($($name:ident: $word:ty, $offset:literal;)*) => {$(
        #[no_mangle]
        fn $name(regs: Block) -> $word {
            // SAFETY: the address is inside the block; this code is compared, never run.
            unsafe { regs.0.add($offset).cast::<$word>().read_volatile() }
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
    // SAFETY: as above.
    unsafe {
        regs.0
            .add(0x20)
            .cast::<u32>()
            .cast_mut()
            .write_volatile(value)
    }
}

#[no_mangle]
fn set_bit(regs: Block) {
    // SAFETY: as above.
    unsafe {
        let register = regs.0.add(0x20).cast::<u32>().cast_mut();
        register.write_volatile(register.read_volatile() | 0x80);
    }
}

#[no_mangle]
fn wait_idle(regs: Block) -> u32 {
    // SAFETY: as above.
    unsafe {
        while regs.0.add(0x20).cast::<u32>().read_volatile() & 1 != 0 {
            core::hint::spin_loop();
        }
        regs.0.add(0x08).cast::<u32>().read_volatile()
    }
}

#[no_mangle]
fn through_data(data: &mut Data) -> u32 {
    data.uses += 1;
    // SAFETY: as above.
    unsafe { data.regs.0.add(0x20).cast::<u32>().read_volatile() }
}

// What a handle to a shared mapping points to: counts and the like in front, then the mapping.
#[repr(C)]
struct Held {
    counts: [usize; COUNTS],
    regs: Block,
}

// As many words as `Devres` happens to have there; if that changes, `cargo xtask asm` tells.
const COUNTS: usize = 3;

#[no_mangle]
fn devres_access(held: &&Held, _proof: &()) -> u32 {
    // SAFETY: as above.
    unsafe { held.regs.0.add(0x20).cast::<u32>().read_volatile() }
}

#[no_mangle]
fn devres_wait_idle(held: &&Held, _proof: &()) -> u32 {
    let regs = held.regs;
    // SAFETY: as above.
    unsafe {
        while regs.0.add(0x20).cast::<u32>().read_volatile() & 1 != 0 {
            core::hint::spin_loop();
        }
        regs.0.add(0x08).cast::<u32>().read_volatile()
    }
}
