//! The end of the driver, and what the next one finds.

use std::sync::Arc;
use std::thread;

use driver_scope::platform::{DmaSpace, Host, Platform};
use driver_scope::{Binding, Units};
use edu::{Edu, Error};
use edu_model::{Delivery, EduConfig, EduModel};

use super::{Machine, BOTH};

#[test]
fn nothing_of_it_touches_the_device_or_its_memory_after_remove() {
    for how in BOTH {
        let machine = Machine::busy(how, 100.millis(), 100.millis());
        let bound = machine.bind();
        bound.with(|edu| edu.start_factorial(5)).unwrap();
        bound.with(|edu| edu.receive(0, 4096)).unwrap();
        machine.sim.advance(12.millis());
        assert!(bound.with(|edu| edu.stats()).samples > 0);
        assert_eq!(machine.space.blocks(), 1);
        let device = machine.unbind(bound);
        let accesses = machine.model.accesses();
        assert_eq!(machine.space.blocks(), 0);
        machine.sim.advance(10.secs());
        assert_eq!(machine.model.accesses(), accesses);
        // What the device would have written.
        let transfers = machine.model.transfers();
        assert_eq!((transfers.made, transfers.refused), (0, 1));
        assert_eq!(machine.space.faults(), 1);

        // And the device can be bound again. By a level it finds the interrupt of that transfer.
        let bound = machine.bind_to(device).unwrap();
        bound.with(|edu| edu.start_factorial(3)).unwrap();
        bound.with(|edu| edu.send(0, b"hello")).unwrap();
        machine.sim.advance(1.secs());
        assert_eq!(bound.with(|edu| edu.last()).unwrap().unwrap().value, 6);
        assert!(bound.with(|edu| edu.last_transfer()).unwrap().is_ok());
        assert!(!machine.model.interrupt_level());
    }
}

/// The device takes no argument while it computes, and nothing would tell its result from that of another.
#[test]
fn what_the_last_driver_has_started_is_no_result_of_this_one() {
    for how in BOTH {
        let machine = Machine::busy(how, 10.millis(), 10.millis());
        let bound = machine.bind();
        bound.with(|edu| edu.start_factorial(5)).unwrap();
        let device = machine.unbind(bound);
        let bound = machine.bind_to(device).unwrap();
        assert_eq!(bound.with(|edu| edu.start_factorial(3)), Err(Error::Busy));
        machine.sim.advance(20.millis());
        // Its interrupt came to this driver.
        assert_eq!(bound.with(|edu| edu.stats()).interrupts, 1);
        assert_eq!(bound.with(|edu| edu.last()), None);
        bound.with(|edu| edu.start_factorial(3)).unwrap();
        machine.sim.advance(20.millis());
        assert_eq!(bound.with(|edu| edu.last()).unwrap().unwrap().value, 6);
    }
}

/// It would go on to where the last driver's memory was, when this one lets the device reach memory.
#[test]
fn what_the_last_driver_has_it_transfer_is_waited_for() {
    let machine = Machine::new(Delivery::Messages, EduConfig::default());
    let bound = machine.bind();
    bound.with(|edu| edu.receive(0, 4096)).unwrap();
    let started = machine.sim.now();
    let device = machine.unbind(bound);
    let bound = machine.bind_to(device).unwrap();
    let waited = machine.sim.now().saturating_duration_since(started);
    assert_eq!(waited, 100.millis());
    assert_eq!(machine.model.transfers().refused, 1);
    assert_eq!(bound.with(|edu| edu.last_transfer()), None);
    bound.with(|edu| edu.receive(0, 4096)).unwrap();
}

#[test]
fn a_device_that_is_never_done_with_the_last_drivers_is_refused() {
    let machine = Machine::busy(Delivery::Messages, 1.millis(), 3600.secs());
    let bound = machine.bind();
    bound.with(|edu| edu.send(0, &[1])).unwrap();
    let device = machine.unbind(bound);
    assert_eq!(machine.bind_to(device).unwrap_err(), Error::Busy);
    assert_eq!(machine.space.blocks(), 0);
}

/// In real time, on threads: while all is under way, and interrupts are on their way.
#[test]
fn a_hundred_drivers_one_after_the_other() {
    for how in BOTH {
        let host = Host::new().unwrap();
        let clock = host.clone();
        let config = EduConfig {
            compute: 70.micros(),
            transfer: 110.micros(),
            ..EduConfig::default()
        };
        let space = DmaSpace::new();
        let model = EduModel::new(move || clock.now().as_nanos(), config).with_dma(&space);
        let model = Arc::new(model);
        host.may_sleep(|cx| {
            let interrupts = model.interrupts(&host, cx, how).unwrap();
            let mut device = interrupts.pci_device().unwrap().with_dma(space.clone());
            for round in 0..100_u64 {
                let bound: Binding<Edu, Host> = Binding::bind(host.clone(), device, cx)
                    .map_err(|f| f.error)
                    .unwrap();
                let port = bound.port().unwrap();
                let caller = thread::spawn(move || {
                    // Until it is gone.
                    while let Ok(()) = port.call(|edu| {
                        for error in [edu.start_factorial(7).err(), edu.receive(0, 512).err()] {
                            let refused =
                                matches!(error, None | Some(Error::Busy | Error::Core(_)));
                            assert!(refused, "{error:?}");
                        }
                        if let Some(last) = edu.last() {
                            assert_eq!(last.unwrap().value, 5040);
                        }
                    }) {
                        thread::yield_now();
                    }
                });
                let stats = || bound.with(|edu| edu.stats());
                // Every other one gets to something for certain.
                let idle = || stats().computed == 0 || stats().transferred == 0;
                while round % 2 == 0 && idle() && !caller.is_finished() {
                    host.sleep(cx, 50.micros());
                }
                host.sleep(cx, (round * 13 % 700).micros());
                assert_eq!(stats().failed, 0);
                device = bound.unbind(cx).unwrap();
                let accesses = model.accesses();
                caller.join().unwrap();
                assert_eq!(model.accesses(), accesses);
                assert_eq!(space.blocks(), 0);
            }
        });
    }
}
