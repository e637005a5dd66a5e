// Wrong: what all ones mean is misspelt.
// Instead: `where !0 is gone`.
use driver_scope::registers;

registers! {
    Uart: 0x40 {
        0x00 => ro ID: u32 where !0 is absent,
    }
}

fn main() {}
