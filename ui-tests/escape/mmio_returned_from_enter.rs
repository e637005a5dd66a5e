// Wrong: a handle to mapped registers is returned from `enter`, which has unmapped them.
// Instead: read what is needed inside, and return the values.
use driver_scope::platform::{Region, Sim};
use driver_scope::{enter, Mmio, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

fn leak(region: &Region) {
    Sim::new().may_sleep(|cx| {
        let _regs: Mmio<'_, Uart, Sim> = enter(Sim::new(), cx, region, |region, scope| {
            scope.map::<Uart>(region).unwrap()
        });
    });
}

fn main() {}
