// Wrong: nested blocks lie 12 bytes apart, and their alignment is 8.
// Instead: `Channel: 0x8 align 4 {`, if it has no register that is wider than 4 bytes.
use driver_scope::registers;

registers! {
    Uart: 0x100 {
        0x40 => block CHANNEL: [Channel; 4; stride 0xc],
    }

    Channel: 0x8 {
        0x00 => wo DATA: u32,
    }
}

fn main() {}
