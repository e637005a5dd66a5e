// Wrong: a nested block lies where its widest register may be misaligned.
// Instead: `Channel: 0x20 align 4 {`, if it has no register that is wider than 4 bytes.
use driver_scope::registers;

registers! {
    Uart: 0x100 {
        0x44 => block CHANNEL: Channel,
    }

    Channel: 0x20 {
        0x00 => wo DATA: u32,
    }
}

fn main() {}
