// Wrong: a driver says beside a register's declaration that it never reads as all ones.
// Instead: say it there: `rw LAST: u32 where !0 is gone`.
use driver_scope::mmio::{ReadWrite, Register, TellsGone};
use driver_scope::registers;

registers! {
    Small: 0x4 {
        0x00 => wo COMMAND: u32,
    }

    Large: 0x1000 {
        0xffc => rw LAST: u32,
        0x800 => rw RING: [u32; 4; stride 4],
    }
}

impl TellsGone<LAST> for Register<u32, ReadWrite> {}

fn main() {}
