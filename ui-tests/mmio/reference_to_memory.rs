// Wrong: a slice of device memory is asked for; the compiler could read through it at any time.
// Instead: `read_bytes` into memory of the driver's own.
use driver_scope::{platform::Sim, registers, Mmio};

registers! {
    Nic: 0x1000 {
        0x800 => memory BUFFER: [u8; 0x800],
    }
}

fn packet<'drv>(nic: Mmio<'drv, Nic, Sim>) -> &'drv [u8] {
    &nic.memory(BUFFER)[..64]
}

fn main() {}
