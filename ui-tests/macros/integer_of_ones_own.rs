// Wrong: `u32` is another type where registers are declared.
// Instead: a value of one's own: `impl RegisterValue for Status`.
// Refused: `u32` is no value of a register
use driver_scope::registers;

#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
struct u32(bool);

registers! {
    Small: 4 {
        0x0 => rw STATUS: u32,
    }
}

fn main() {}
