//! Interrupts on a line.

use std::sync::atomic::AtomicU32;
use std::thread;
use std::time::{Duration, Instant};

use driver_scope::platform::{Host, Sim};
use driver_scope::{enter, DriverScope, Error, IrqReturn, Platform, Units};

use super::*;
use crate::{Delivery, Interrupts};

/// Counts interrupts, and acknowledges them.
fn counting<'drv, P: Platform<Irqs = <Sim as Platform>::Irqs>>(
    scope: &DriverScope<'drv, P>,
    model: &'drv EduModel,
    interrupts: &Interrupts<P>,
) -> Result<&'drv AtomicU32, Error> {
    let count = scope.own(AtomicU32::new(0))?;
    scope.irq(interrupts.line(), move |_| {
        let causes = model.read(INTERRUPT_STATUS, 4);
        if causes == 0 {
            return IrqReturn::None;
        }
        model.write(ACKNOWLEDGE, 4, causes);
        count.fetch_add(1, Ordering::SeqCst);
        IrqReturn::Handled
    })?;
    Ok(count)
}

#[test]
fn an_interrupt_comes_when_the_device_is_done() {
    for how in [Delivery::Level, Delivery::Messages] {
        let sim = Sim::new();
        let model = EduModel::on(&sim, EduConfig::default());
        let run = |scope: &DriverScope<'_, Sim>, count: &AtomicU32| {
            model.write(STATUS, 4, 0x80);
            for n in 1..=3 {
                model.write(FACTORIAL, 4, 5);
                scope.sleep(Duration::from_nanos(COMPUTE - 1));
                assert_eq!(count.load(Ordering::SeqCst), n - 1);
                scope.sleep(Duration::from_nanos(1));
                assert_eq!(count.load(Ordering::SeqCst), n);
                assert_eq!(model.read(INTERRUPT_STATUS, 4), 0);
            }
            model.write(RAISE, 4, 0x100);
            scope.sleep(Duration::ZERO);
            assert_eq!(count.load(Ordering::SeqCst), 4);
        };
        sim.may_sleep(|cx| {
            let interrupts = model.interrupts(&sim, cx, how)?;
            enter(sim.clone(), cx, &*model, |model, scope| {
                let count = counting(scope, model, &interrupts)?;
                run(scope, count);
                // Two that are under way: the sooner is not lost behind the later.
                model.write(COMMAND, 8, 1 | 4);
                model.write(FACTORIAL, 4, 5);
                scope.sleep(Duration::from_nanos(COMPUTE));
                assert_eq!(count.load(Ordering::SeqCst), 5);
                scope.sleep(Duration::from_nanos(TRANSFER));
                assert_eq!(count.load(Ordering::SeqCst), 6);
                Ok::<(), Error>(())
            })
        })
        .unwrap();
    }
}

#[test]
fn nothing_is_delivered_any_more_when_that_is_dropped() {
    let sim = Sim::new();
    let model = EduModel::on(&sim, EduConfig::default());
    sim.may_sleep(|cx| {
        let interrupts = model.interrupts(&sim, cx, Delivery::Level)?;
        enter(sim.clone(), cx, &*model, |model, scope| {
            let count = counting(scope, model, &interrupts)?;
            model.write(STATUS, 4, 0x80);
            model.write(FACTORIAL, 4, 5);
            drop(interrupts);
            scope.sleep(1.secs());
            assert_eq!(count.load(Ordering::SeqCst), 0);
            assert_eq!(model.read(INTERRUPT_STATUS, 4), 1);
            Ok::<(), Error>(())
        })
    })
    .unwrap();
}

#[test]
fn in_real_time_as_well() {
    let host = Host::new().unwrap();
    let model = EduModel::on(&host, EduConfig::default());
    host.may_sleep(|cx| {
        let interrupts = model.interrupts(&host, cx, Delivery::Level)?;
        assert!(interrupts.pci_device::<Host>()?.irq(0).is_ok());
        enter(host.clone(), cx, &*model, |model, scope| {
            let count = counting(scope, model, &interrupts)?;
            model.write(STATUS, 4, 0x80);
            for n in 1..=50 {
                model.write(FACTORIAL, 4, 5);
                let begun = Instant::now();
                while count.load(Ordering::SeqCst) < n {
                    assert!(begun.elapsed() < Duration::from_secs(60), "it never came");
                    thread::yield_now();
                }
            }
            Ok::<(), Error>(())
        })
    })
    .unwrap();
}
