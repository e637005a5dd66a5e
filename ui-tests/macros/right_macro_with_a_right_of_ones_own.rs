// Wrong: the macro behind access rights is called by hand with one that does not exist.
// Instead: `ro`, `wo`, `rw`, `rc`, `w1c`.
// Refused: `readable` is no access right for the register `DATA`
use driver_scope::registers;

registers! {
    Small: 4 {
        0x0 => wo DATA: u32,
    }
}

driver_scope::__right! { readable DATA }

fn main() {}
