// Wrong: an attribute gives a register's type a representation, as if it lay in memory.
// Instead: a register's type is but its name, and has no content.
// Refused: attribute should be applied to an enum
use driver_scope::registers;

registers! {
    Small: 8 {
        #[repr(u32)]
        0x0 => rw STATUS: u32,
    }
}

fn main() {}
