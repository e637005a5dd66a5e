// Wrong: a run of memory begins where the widest access is misaligned.
// Instead: begin at a multiple of 8; what lies before it are registers.
use driver_scope::registers;

registers! {
    Nic: 0x1000 {
        0x404 => memory BUFFER: [u8; 0x800],
    }
}

fn main() {}
