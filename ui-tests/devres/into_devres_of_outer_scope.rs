// Wrong: a mapping of the inner scope is handed to the outer, which ends later.
// Instead: map it in the scope that shall own it.
use driver_scope::platform::{Region, Sim};
use driver_scope::{enter, Error, Registers};

enum Uart {}
impl Registers for Uart {
    const SIZE: usize = 4;
}

fn share(sim: &Sim, region: &Region) {
    let _ = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, region, |region, outer| {
            enter(sim.clone(), cx, region, |region, inner| {
                let _regs = inner.map::<Uart>(region)?.into_devres(outer)?;
                Ok::<(), Error>(())
            })
        })
    });
}

fn main() {}
