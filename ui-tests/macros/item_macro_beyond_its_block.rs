// Wrong: the macro behind `registers!` is called by hand, for a register outside of its block.
// Instead: `registers!`; both check the same.
// Refused: `BEYOND` does not end inside its block `Small`
use driver_scope::registers;

registers! {
    Small: 4 {
        0x0 => rw STATUS: u32,
    }
}

driver_scope::__item! { Small 0x4, BEYOND, driver_scope::mmio::Register<u32, driver_scope::mmio::ReadWrite>, driver_scope::mmio::One }

fn main() {}
