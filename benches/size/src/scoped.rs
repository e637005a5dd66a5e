//! With a scope.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use driver_scope::platform::FixedMemory;
use driver_scope::{
    registers, Binding, Driver, DriverScope, Error, HrTimer, MaySleep, Mmio, Units,
};

use crate::platform::{RamRegion, Tiny};
use crate::{holds, DEVICES, MILLIS};

static MEMORY: FixedMemory<8192> = FixedMemory::new();

type P = Tiny<8192>;

registers! {
    /// The device's registers.
    pub Regs: 16 {
        /// Milliseconds.
        0 => rw COUNT: u32,
        /// Not zero: no more of them.
        4 => rw STOPPED: u32,
    }
}

/// The driver. Each `WHICH` is another type, hence another driver; with so many timers, of which the others do little.
pub struct Ticks<const WHICH: u32, const TIMERS: usize>;

/// Its data.
pub struct Data<'drv> {
    regs: Mmio<'drv, Regs, P>,
    _tick: HrTimer<'drv, P>,
}

impl<const WHICH: u32, const TIMERS: usize> Driver<P> for Ticks<WHICH, TIMERS> {
    type Device = &'static RamRegion;
    type Data<'drv> = Data<'drv>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Self::Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Data<'drv>, Error> {
        let regs = scope.map::<Regs>(device)?;
        let ticks = scope.own(AtomicU32::new(WHICH))?;
        let tick = scope.hrtimer(move |t| {
            regs.write(COUNT, ticks.fetch_add(1, Relaxed) + 1);
            t.forward(1.millis())
        })?;
        tick.start(1.millis())?;
        if TIMERS > 1 {
            let slow = scope.hrtimer(move |t| {
                ticks.fetch_add(0, Relaxed);
                t.forward(3.millis())
            })?;
            slow.start(3.millis())?;
        }
        Ok(Data { regs, _tick: tick })
    }

    fn remove(data: &Data<'_>, _cx: MaySleep<'_>) {
        data.regs.write(STOPPED, 1 + WHICH);
    }
}

/// The platform.
#[must_use]
pub fn platform() -> P {
    Tiny::new(&MEMORY)
}

/// Binds the driver, has others run, and removes it.
pub fn with<const WHICH: u32, const TIMERS: usize>(others: impl FnOnce() -> bool) -> bool {
    let platform = platform();
    let device = &DEVICES[WHICH as usize];
    let bound = platform
        .may_sleep(|cx| Binding::<Ticks<WHICH, TIMERS>, P>::bind(platform.clone(), device, cx));
    let Ok(binding) = bound else { return false };
    let right = others() && holds(WHICH as usize, WHICH + MILLIS, 0);
    let unbound = platform.may_sleep(|cx| binding.unbind(cx)).is_ok();
    right && unbound && holds(WHICH as usize, WHICH + MILLIS, 1 + WHICH)
}

/// What all of them do meanwhile.
pub fn run() -> bool {
    platform().advance(u64::from(MILLIS).millis());
    true
}
