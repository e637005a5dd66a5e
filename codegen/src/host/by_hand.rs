//! By hand.

use crate::by_hand::Block;

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
    // SAFETY: the address is inside the block; this code is compared, never run.
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
