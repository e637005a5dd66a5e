// Wrong: the driver writes a field that is the device's.
// Instead: only read it; or declare it `rw`.
use driver_scope::{platform::Sim, registers, DmaBuffer};

registers! {
    Shared: 0x10 {
        0x00 => rw HEAD: u32,
        0x08 => ro TAIL: u32,
    }
}

fn turn(shared: DmaBuffer<'_, Shared, Sim>) {
    shared.write(TAIL, shared.read(HEAD));
}

fn main() {}
