// Wrong: what is no access right is made one from outside.
// Instead: `ro`, `wo`, `rw`, `rc` or `w1c`.
use driver_scope::registers;

registers! {
    Regs: 0x4 {
        0x0 => rx STATUS: u32,
    }
}
impl driver_scope::mmio::AccessRight<(), STATUS> for () {}

fn main() {}
