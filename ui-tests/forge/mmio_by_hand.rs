// Wrong: a handle to registers is made by hand.
// Instead: `scope.map::<Uart>(region)`.
use driver_scope::{platform::Sim, Mmio, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

fn main() {
    let _ = Mmio::<'static, Uart, Sim> {};
}
