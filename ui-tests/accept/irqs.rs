// Interrupt handlers in a driver for any platform: they borrow what the scope owns, and their handles are `Copy` and of any shorter life.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::platform::{IrqLine, Platform, Sim};
use driver_scope::{
    Binding, Driver, DriverScope, Error, Irq, IrqReturn, MaySleep, PciDevice, Units,
};

struct Nic;

struct Data<'drv, P: Platform> {
    seen: &'drv AtomicU32,
    irq: Irq<'drv, P>,
}

impl<P: Platform> Driver<P> for Nic {
    type Device = PciDevice<P>;
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        dev: &'drv PciDevice<P>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Data<'drv, P>, Error> {
        let seen = scope.own(AtomicU32::new(0))?;
        let mut ours = false;
        let irq = scope.named("rx").irq(dev.irq(0)?, move |cx| {
            ours = !ours;
            seen.fetch_add(ours.into(), Ordering::Relaxed);
            cx.irq().is_enabled().into()
        })?;
        let timer = scope.hrtimer(move |t| {
            irq.enable();
            t.forward(1.millis())
        })?;
        timer.start(1.millis())?;
        Ok(Data { seen, irq })
    }

    fn remove(data: &Data<'_, P>, cx: MaySleep<'_>) {
        let _ = data.irq.disable_sync(cx);
    }
}

fn shorter<'s, 'drv: 's, P: Platform>(irq: Irq<'drv, P>) -> Irq<'s, P> {
    irq
}

fn main() {
    let sim = Sim::new();
    let line = IrqLine::new();
    let device = PciDevice::new(1, 2).with_irq(0, line.clone()).unwrap();
    sim.may_sleep(|cx| {
        let nic: Binding<Nic, Sim> = Binding::bind(sim.clone(), device, cx).map_err(|e| e.error)?;
        line.raise();
        sim.advance(1.millis());
        nic.with(|data| {
            let irq = shorter(data.irq);
            irq.disable();
            std::thread::scope(|threads| {
                threads.spawn(move || irq.enable());
            });
            assert_eq!(data.seen.load(Ordering::Relaxed), 1);
        });
        let _: IrqReturn = true.into();
        Ok::<(), Error>(())
    })
    .unwrap();
}
