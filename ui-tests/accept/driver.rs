// A whole driver: generic in its platform, one function, one lifetime, no `unsafe`, no `Arc`, no check on an access.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use driver_scope::platform::{Host, Model, Platform, Region, Sim};
use driver_scope::{
    Binding, Driver, DriverScope, Error, HrTimer, MaySleep, Mmio, PciDevice, registers,
    Restart, Units,
};

registers! {
    EduRegs: 0x100 {
        0x20 => rw STATUS: u32,
        0x64 => rw IRQ_MASK: u32,
    }
}
const COMPUTING: u32 = 1;

#[derive(Default)]
struct Stats {
    polls: AtomicU32,
}

struct Edu;

struct EduData<'drv, P: Platform> {
    regs: Mmio<'drv, EduRegs, P>,
    stats: &'drv Stats,
    poll: HrTimer<'drv, P>,
}

impl<P: Platform> Driver<P> for Edu {
    type Device = PciDevice<P>;
    type Data<'drv> = EduData<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        dev: &'drv Self::Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Self::Data<'drv>, Error> {
        let regs = scope.map::<EduRegs>(dev.bar(0)?)?;
        let stats = scope.own(Stats::default())?;
        let poll = scope.named("poll").hrtimer(move |t| {
            stats.polls.fetch_add(1, Ordering::Relaxed);
            if regs.read(STATUS) & COMPUTING != 0 {
                t.restart_after(50.micros())
            } else {
                Restart::No
            }
        })?;
        poll.start(50.micros())?;
        Ok(EduData { regs, stats, poll })
    }

    fn remove(data: &Self::Data<'_>, _: MaySleep<'_>) {
        data.regs.write(IRQ_MASK, 0);
    }
}

/// The same driver on another platform; only has to compile.
#[allow(dead_code)]
fn on_host(host: Host, device: PciDevice<Host>, cx: MaySleep<'_>) -> Result<(), Error> {
    let binding = Binding::<Edu, Host>::bind(host, device, cx).map_err(|failed| failed.error)?;
    drop(binding);
    Ok(())
}

struct Busy;
impl Model for Busy {
    fn read(&self, _: u64, _: u8) -> u64 {
        1
    }
    fn write(&self, _: u64, _: u8, _: u64) {}
}

fn main() {
    let sim = Sim::new();
    let bar = Region::new(Arc::new(Busy), 0x100);
    let device = PciDevice::new(0x1234, 0x11e8).with_bar(0, bar).unwrap();
    sim.may_sleep(|cx| {
        let binding = Binding::<Edu, Sim>::bind(sim.clone(), device, cx).unwrap();
        sim.advance(1.millis());
        let polls = binding.with(|data| {
            assert!(data.poll.is_active());
            data.stats.polls.load(Ordering::Relaxed)
        });
        assert_eq!(polls, 20);
        binding.unbind(cx).unwrap();
    });
}
