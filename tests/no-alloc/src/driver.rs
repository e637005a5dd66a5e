//! A driver that counts milliseconds in a register.
#![forbid(unsafe_code)]

use driver_scope::{
    registers, Bound, Driver, DriverScope, Error, HrTimer, Lock, MaySleep, Mmio, Restart, Units,
};

use crate::platform::{RamRegion, Tiny};

registers! {
    pub Regs: 16 {
        0 => rw COUNT: u32,
        4 => rw STOPPED: u32,
    }
}

pub struct Counter;

pub struct Data<'drv, const N: usize> {
    pub regs: Mmio<'drv, Regs, Tiny<N>>,
    pub tick: HrTimer<'drv, Tiny<N>>,
    /// The registers once more, for what may outlive the driver.
    pub shared: Bound<'drv, Mmio<'static, Regs, Tiny<N>>, Tiny<N>>,
}

impl<const N: usize> Driver<Tiny<N>> for Counter {
    type Device = &'static RamRegion;
    type Data<'drv> = Data<'drv, N>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Self::Device,
        scope: &DriverScope<'drv, Tiny<N>>,
    ) -> Result<Data<'drv, N>, Error> {
        let regs = scope.map::<Regs>(device)?;
        regs.write(COUNT, 0);
        regs.write(STOPPED, 0);
        let ticks = scope.own(Lock::<u32, Tiny<N>>::new(0))?;
        let tick = scope.hrtimer(move |t| {
            let mut ticks = ticks.lock();
            *ticks += 1;
            regs.write(COUNT, *ticks);
            t.forward(1.millis())
        })?;
        tick.start(1.millis())?;
        // A timer that is forgotten changes nothing.
        scope.hrtimer(|_| Restart::No)?.start(1.secs())?;
        let shared = regs.into_devres(scope)?;
        Ok(Data { regs, tick, shared })
    }

    fn remove(data: &Data<'_, N>, _cx: MaySleep<'_>) {
        data.regs.write(STOPPED, 1);
    }
}
