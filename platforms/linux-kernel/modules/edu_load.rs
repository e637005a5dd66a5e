// SPDX-License-Identifier: GPL-2.0

//! The same driver under load, for tests: timers and work that keep the device busy and never stop, all of whose handles are forgotten.

use core::mem;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use driver_scope::{Driver, DriverScope, HrTimer, MaySleep, PciDevice, Restart, TimerMode, Units};
use driver_scope_linux::Linux;
use edu::{Edu, EduData, Error};

mod commands;

/// An edu that is never left alone.
struct Load;

/// What it is while it is bound.
struct LoadData<'drv> {
    edu: &'drv EduData<'drv, Linux>,
}

impl<'drv> commands::LeadsToEdu<'drv> for LoadData<'drv> {
    fn edu(&self) -> &EduData<'drv, Linux> {
        self.edu
    }
}

/// What would stop a timer, if it were not forgotten.
struct Guard<'drv>(HrTimer<'drv, Linux>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_cancel();
    }
}

impl Driver<Linux> for Load {
    type Device = PciDevice<Linux>;
    type Data<'drv> = LoadData<'drv>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv PciDevice<Linux>,
        scope: &DriverScope<'drv, Linux>,
    ) -> Result<LoadData<'drv>, Error> {
        let edu: &'drv EduData<'drv, Linux> = scope.alloc(Edu::probe(device, scope)?)?;
        let ticks = scope.own(AtomicU32::new(0))?;

        // Starts factorials, and so has the device raise interrupts. (Not each time: an emulated processor with all checks of the kernel would do nothing else.)
        let starter = scope.named("starter").hrtimer(move |t| {
            let tick = ticks.fetch_add(1, Relaxed);
            if tick % 16 == 0 {
                let _ = edu.start_factorial(tick / 16 % 13);
            }
            t.forward(100.micros())
        })?;
        starter.start(100.micros())?;
        mem::forget(Guard(starter));

        // In the soft interrupt.
        let soft = scope
            .named("soft")
            .hrtimer_with(TimerMode::new().soft(), move |t| {
                ticks.fetch_add(1, Relaxed);
                t.forward(1.millis())
            })?;
        soft.start(1.millis())?;
        mem::forget(Guard(soft));

        // Two that start each other.
        let (ping, called_ping) = scope.named("ping").vacant_hrtimer()?;
        let (pong, called_pong) = scope.named("pong").vacant_hrtimer()?;
        // One that is always armed and never due. It is started by an older one, which may be at it when this is shut.
        let far = scope.named("far").hrtimer(|_| Restart::No)?;
        called_ping.set(scope, move |_| {
            let _ = far.start(100.secs());
            let _ = pong.start(900.micros());
            Restart::No
        })?;
        called_pong.set(scope, move |_| {
            let _ = ping.start(100.micros());
            Restart::No
        })?;
        ping.start(100.micros())?;
        mem::forget(Guard(ping));

        // Transfers, by work that sleeps in between, and that cancels and restarts timers.
        let transfers = scope.named("transfers").work(move |w| {
            let _ = edu.receive(0, 4096).or_else(|_| edu.send(64, &[0x55; 64]));
            let _ = soft.cancel(w.may_sleep());
            let _ = soft.start(1.millis());
            w.requeue_after(2.millis())
        })?;
        transfers.queue()?;

        Ok(LoadData { edu })
    }

    fn remove(data: &LoadData<'_>, cx: MaySleep<'_>) {
        <Edu as Driver<Linux>>::remove(data.edu, cx);
    }
}

driver_scope_linux::pci_module! {
    driver: Load,
    ids: [edu::PCI_ID],
    file: commands::Commands,
    name: "edu_load",
    authors: ["The driver-scope developers"],
    description: "QEMU's edu device under load, by driver-scope",
    license: "Dual MIT/GPL",
}
