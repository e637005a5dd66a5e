// Wrong: an access right that does not exist (a zero for an o).
// Instead: `ro`, `wo`, `rw`, `rc` or `w1c`.
use driver_scope::registers;

registers! {
    Uart: 0x40 {
        0x00 => r0 ID: u32,
    }
}

fn main() {}
