//! Interrupts that the device is told to raise, with nothing between them and the platform but a handler.

use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::platform::{HostDma, Platform};
use driver_scope::{enter, DriverScope, Error, Irq, IrqReturn, MaySleep, Mmio, PciDevice, Units};
use edu::registers::{Causes, EduRegs, INTERRUPT_ACKNOWLEDGE, INTERRUPT_RAISE, INTERRUPT_STATUS};

use super::PATIENCE;
use crate::User;

/// How many address lines the device has.
const ADDRESS_BITS: u32 = 28;

/// A message is a write to memory, so a device that may not reach memory sends none. (The handle is not needed for that.) Where it never may, it has a line.
pub fn let_it_reach_memory<'drv, P: Platform>(
    scope: &DriverScope<'drv, P>,
    function: &PciDevice<P>,
) -> Result<(), Error> {
    match function.dma() {
        Ok(dma) => scope.dma(dma, ADDRESS_BITS).map(drop),
        Err(Error::Unsupported) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A device with a handler that acknowledges, and counts.
struct Counted<'drv, P: Platform> {
    regs: Mmio<'drv, EduRegs, P>,
    irq: Irq<'drv, P>,
    count: &'drv AtomicU32,
}

impl<'drv, P: Platform> Counted<'drv, P> {
    fn new(scope: &DriverScope<'drv, P>, function: &'drv PciDevice<P>) -> Result<Self, Error> {
        let regs = scope.map::<EduRegs>(function.bar(0)?)?;
        let_it_reach_memory(scope, function)?;
        let count = scope.own(AtomicU32::new(0))?;
        let irq = scope.irq(function.irq(0)?, move |_| {
            let causes = regs.read(INTERRUPT_STATUS);
            if causes.is_empty() {
                return IrqReturn::None;
            }
            regs.write(INTERRUPT_ACKNOWLEDGE, causes);
            count.fetch_add(1, Ordering::Relaxed);
            IrqReturn::Handled
        })?;
        Ok(Counted { regs, irq, count })
    }

    fn raise(&self, bit: u32) {
        self.regs
            .write(INTERRUPT_RAISE, Causes::from_bits_retain(1 << bit));
    }

    fn until(&self, scope: &DriverScope<'drv, P>, count: u32) -> Result<(), String> {
        let platform = scope.platform();
        let end = platform.now().saturating_add(PATIENCE);
        while self.count.load(Ordering::Relaxed) < count {
            if platform.now() > end {
                let seen = self.count.load(Ordering::Relaxed);
                return Err(format!("{seen} interrupts, expected {count}"));
            }
            scope.sleep(1.millis());
        }
        Ok(())
    }
}

/// One after the other: each comes, so after each the next one may.
pub fn raised<D: HostDma>(
    user: &User<D>,
    function: &PciDevice<User<D>>,
    cx: MaySleep<'_>,
) -> Result<(), String> {
    enter(user.clone(), cx, function, |function, scope| {
        let device = Counted::new(scope, function).map_err(|error| error.to_string())?;
        for n in 1..=5 {
            device.raise(n);
            device.until(scope, n)?;
        }
        Ok(())
    })
}

/// What is raised while the handler is disabled, comes when it is enabled. The scope ends with an interrupt under way.
pub fn none_lost<D: HostDma>(
    user: &User<D>,
    function: &PciDevice<User<D>>,
    cx: MaySleep<'_>,
) -> Result<(), String> {
    enter(user.clone(), cx, function, |function, scope| {
        let device = Counted::new(scope, function).map_err(|error| error.to_string())?;
        device.irq.disable();
        device.raise(1);
        scope.sleep(50.millis());
        match device.count.load(Ordering::Relaxed) {
            0 => {}
            n => return Err(format!("{n} calls of a disabled handler")),
        }
        device.irq.enable();
        device.until(scope, 1)?;
        device.raise(2);
        Ok(())
    })
}
