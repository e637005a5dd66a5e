//! The driver on the model of its device, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use driver_scope::platform::{Model, Platform, Region, Sim};
use driver_scope::{Binding, PciDevice, Units};
use edu::{Edu, Error};
use edu_model::{EduConfig, EduModel};

type Bound = Binding<Edu, Sim>;

fn model(sim: &Sim, compute: Duration) -> Arc<EduModel> {
    let clock = sim.clone();
    let config = EduConfig {
        compute,
        ..EduConfig::default()
    };
    Arc::new(EduModel::new(move || clock.now().as_nanos(), config))
}

fn bind(sim: &Sim, device: PciDevice<Sim>) -> Result<Bound, Error> {
    sim.may_sleep(|cx| Binding::bind(sim.clone(), device, cx).map_err(|failed| failed.error))
}

/// A driver bound to a device that takes so long for a factorial.
fn bound(compute: Duration) -> (Sim, Arc<EduModel>, Bound) {
    let sim = Sim::new();
    let model = model(&sim, compute);
    let bound = bind(&sim, model.pci_device().unwrap()).unwrap();
    (sim, model, bound)
}

#[test]
fn it_identifies_its_device() {
    let (_, _, bound) = bound(1.millis());
    assert_eq!(bound.with(|edu| edu.id()), 0x0100_00ed);
}

#[test]
fn it_refuses_other_devices() {
    /// Answers everything with one value.
    struct Constant(u64);
    impl Model for Constant {
        fn read(&self, _: u64, _: u8) -> u64 {
            self.0
        }
        fn write(&self, _: u64, _: u8, _: u64) {}
    }
    let probe = |answer| {
        let region = Region::new(Arc::new(Constant(answer)), 1 << 20);
        let device = PciDevice::new(0x1234, 0x11e8).with_bar(0, region).unwrap();
        bind(&Sim::new(), device).unwrap_err()
    };
    assert_eq!(probe(0), Error::NotEdu { id: 0 });
    // A slot with nothing in it.
    assert_eq!(probe(u64::MAX), Error::NotEdu { id: u32::MAX });
    // The right id, but the liveness register answers with it, too.
    let answer = 0x0100_00ed;
    assert_eq!(probe(answer.into()), Error::NotAlive { answer });
}

#[test]
fn it_refuses_a_device_without_registers() {
    let none = bind(&Sim::new(), PciDevice::new(0x1234, 0x11e8));
    assert_eq!(
        none.unwrap_err(),
        Error::Core(driver_scope::Error::NoSuchBar(0))
    );
}

#[test]
fn it_computes() {
    let (sim, _, bound) = bound(3.millis());
    for (argument, value) in [(0, 1), (5, 120), (10, 3_628_800), (13, 1_932_053_504)] {
        bound.with(|edu| edu.start_factorial(argument)).unwrap();
        assert!(bound.with(|edu| edu.is_computing()));
        assert_eq!(bound.with(|edu| edu.start_factorial(1)), Err(Error::Busy));
        sim.advance(10.millis());
        let computed = bound.with(|edu| edu.last()).unwrap().unwrap();
        assert_eq!((computed.argument, computed.value), (argument, value));
        // Found done at the first look after 3 ms; the looks are 20 µs, 40 µs, 80 µs.. apart.
        let looks = (1..).map(|n| ((1 << n) - 1) * 20.micros());
        let found = looks.into_iter().find(|at| *at >= 3.millis()).unwrap();
        assert_eq!(computed.took, found);
    }
    assert_eq!(bound.with(|edu| edu.stats()).computed, 4);
}

#[test]
fn it_gives_up_on_a_device_that_never_finishes() {
    let (sim, _, bound) = bound(3600.secs());
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    sim.advance(2.secs());
    assert_eq!(bound.with(|edu| edu.last()), Some(Err(Error::TimedOut)));
    let stats = bound.with(|edu| edu.stats());
    assert_eq!((stats.computed, stats.failed), (0, 1));
    // It looked seldom: the delay has grown.
    assert!(stats.polls < 80, "{} looks", stats.polls);
}

#[test]
fn it_notices_that_its_device_is_gone() {
    let (sim, model, bound) = bound(100.millis());
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    sim.advance(10.millis());
    model.unplug();
    sim.advance(100.millis());
    assert_eq!(bound.with(|edu| edu.last()), Some(Err(Error::Gone)));
}

#[test]
fn it_keeps_statistics() {
    let (sim, _, bound) = bound(21.millis());
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    sim.advance(100.millis());
    let stats = bound.with(|edu| edu.stats());
    assert_eq!((stats.samples, stats.busy, stats.missed), (20, 4, 0));
}

#[test]
fn nothing_of_it_touches_the_device_after_remove() {
    let (sim, model, bound) = bound(100.millis());
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    sim.advance(12.millis());
    let device = sim.may_sleep(|cx| bound.unbind(cx)).unwrap();
    let accesses = model.accesses();
    sim.advance(10.secs());
    assert_eq!(model.accesses(), accesses);

    // And the device can be bound again.
    let bound = bind(&sim, device).unwrap();
    bound.with(|edu| edu.start_factorial(3)).unwrap();
    sim.advance(1.secs());
    assert_eq!(bound.with(|edu| edu.last()).unwrap().unwrap().value, 6);
}

/// The device takes no argument while it computes, and nothing would tell its result from that of another.
#[test]
fn what_the_last_driver_has_started_is_no_result_of_this_one() {
    let (sim, _, bound) = bound(10.millis());
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    let device = sim.may_sleep(|cx| bound.unbind(cx)).unwrap();
    let bound = bind(&sim, device).unwrap();
    assert_eq!(bound.with(|edu| edu.start_factorial(3)), Err(Error::Busy));
    sim.advance(20.millis());
    bound.with(|edu| edu.start_factorial(3)).unwrap();
    sim.advance(20.millis());
    assert_eq!(bound.with(|edu| edu.last()).unwrap().unwrap().value, 6);
}

#[test]
fn two_drivers_cannot_have_one_device() {
    let sim = Sim::new();
    let model = model(&sim, 1.millis());
    let region = Region::new(model, 1 << 20);
    let device = |region: &Region| {
        PciDevice::new(0x1234, 0x11e8)
            .with_bar(0, region.clone())
            .unwrap()
    };
    let _first = bind(&sim, device(&region)).unwrap();
    let second = bind(&sim, device(&region)).map(drop);
    assert_eq!(second, Err(Error::Core(driver_scope::Error::AlreadyMapped)));
}
