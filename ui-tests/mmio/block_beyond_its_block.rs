// Wrong: a nested block ends behind the end of the outer one.
// Instead: correct the offset, or one of the two sizes.
use driver_scope::registers;

registers! {
    Uart: 0x100 {
        0x80 => block CHANNEL: Channel,
    }

    Channel: 0x100 {
        0x00 => wo DATA: u8,
    }
}

fn main() {}
