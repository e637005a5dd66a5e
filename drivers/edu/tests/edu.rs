//! The driver on the model of its device: in virtual time, but for the last of `edu/removal.rs`.

use std::sync::Arc;
use std::time::Duration;

use driver_scope::platform::{DmaSpace, IrqLine, Model, Platform, Region, Sim};
use driver_scope::{Binding, Driver, DriverScope, Irq, IrqReturn, PciDevice, Units};
use edu::{Edu, Error};
use edu_model::{Delivery, EduConfig, EduModel, Interrupts};

#[path = "edu/removal.rs"]
mod removal;
#[path = "edu/transfers.rs"]
mod transfers;

type Bound = Binding<Edu, Sim>;

/// How an interrupt may come.
const BOTH: [Delivery; 2] = [Delivery::Level, Delivery::Messages];

/// A device on a machine.
struct Machine {
    sim: Sim,
    model: Arc<EduModel>,
    /// The memory that it reaches.
    space: DmaSpace,
    interrupts: Interrupts<Sim>,
}

impl Machine {
    fn new(how: Delivery, config: EduConfig) -> Self {
        let sim = Sim::new();
        let space = DmaSpace::new();
        let clock = sim.clone();
        let model = EduModel::new(move || clock.now().as_nanos(), config).with_dma(&space);
        let model = Arc::new(model);
        let interrupts = sim.may_sleep(|cx| model.interrupts(&sim, cx, how).unwrap());
        Machine {
            sim,
            model,
            space,
            interrupts,
        }
    }

    /// A device that takes so long for a factorial.
    fn computing(compute: Duration) -> Self {
        let config = EduConfig {
            compute,
            ..EduConfig::default()
        };
        Self::new(Delivery::Messages, config)
    }

    /// A device that takes so long for a factorial, and so long for a transfer.
    fn busy(how: Delivery, compute: Duration, transfer: Duration) -> Self {
        let config = EduConfig {
            compute,
            transfer,
            ..EduConfig::default()
        };
        Self::new(how, config)
    }

    fn device(&self) -> PciDevice<Sim> {
        let device = self.interrupts.pci_device().unwrap();
        device.with_dma(self.space.clone())
    }

    fn bind(&self) -> Bound {
        self.bind_to(self.device()).unwrap()
    }

    fn bind_to(&self, device: PciDevice<Sim>) -> Result<Bound, Error> {
        bind(&self.sim, device)
    }

    fn unbind(&self, bound: Bound) -> PciDevice<Sim> {
        self.sim.may_sleep(|cx| bound.unbind(cx)).unwrap()
    }
}

fn bind(sim: &Sim, device: PciDevice<Sim>) -> Result<Bound, Error> {
    sim.may_sleep(|cx| Binding::bind(sim.clone(), device, cx).map_err(|failed| failed.error))
}

/// How often the driver took an interrupt for its own, and how often not.
fn interrupts(bound: &Bound) -> (u64, u64) {
    let mut counts = None;
    bound.inspect(|item| {
        if let Some(irq) = item.irq() {
            counts = Some((irq.handled, irq.not_ours));
        }
    });
    counts.unwrap()
}

#[test]
fn it_identifies_its_device() {
    let bound = Machine::computing(1.millis()).bind();
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
fn it_refuses_a_device_without_registers_or_interrupt() {
    let none = bind(&Sim::new(), PciDevice::new(0x1234, 0x11e8));
    assert_eq!(
        none.unwrap_err(),
        Error::Core(driver_scope::Error::NoSuchBar(0))
    );
    let machine = Machine::computing(1.millis());
    let without = machine.bind_to(machine.model.pci_device().unwrap());
    assert_eq!(
        without.unwrap_err(),
        Error::Core(driver_scope::Error::NoSuchIrq(0))
    );
}

#[test]
fn it_computes() {
    for how in BOTH {
        let machine = Machine::busy(how, 3.millis(), 100.millis());
        let bound = machine.bind();
        for (argument, value) in [(0, 1), (5, 120), (10, 3_628_800), (13, 1_932_053_504)] {
            bound.with(|edu| edu.start_factorial(argument)).unwrap();
            assert!(bound.with(|edu| edu.is_computing()));
            assert_eq!(bound.with(|edu| edu.start_factorial(1)), Err(Error::Busy));
            machine.sim.advance(10.millis());
            let computed = bound.with(|edu| edu.last()).unwrap().unwrap();
            assert_eq!((computed.argument, computed.value), (argument, value));
            // By its interrupt, so at once.
            assert_eq!(computed.took, 3.millis());
        }
        let stats = bound.with(|edu| edu.stats());
        assert_eq!((stats.computed, stats.failed, stats.interrupts), (4, 0, 4));
        assert_eq!(interrupts(&bound).0, 4);
        assert!(!machine.model.interrupt_level());
    }
}

#[test]
fn it_gives_up_on_a_device_that_never_finishes() {
    let machine = Machine::computing(3600.secs());
    let bound = machine.bind();
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    machine.sim.advance(999.millis());
    assert_eq!(bound.with(|edu| edu.last()), None);
    machine.sim.advance(1.millis());
    assert_eq!(bound.with(|edu| edu.last()), Some(Err(Error::TimedOut)));
    let stats = bound.with(|edu| edu.stats());
    assert_eq!((stats.computed, stats.failed), (0, 1));
    // The device is still at it, and would not take another.
    assert!(!bound.with(|edu| edu.is_computing()));
    assert_eq!(bound.with(|edu| edu.start_factorial(3)), Err(Error::Busy));
}

/// Each has the whole time: the time-out of one is not that of the next.
#[test]
fn a_time_out_is_for_one_factorial() {
    let machine = Machine::computing(700.millis());
    let bound = machine.bind();
    for _ in 0..3 {
        bound.with(|edu| edu.start_factorial(5)).unwrap();
        machine.sim.advance(800.millis());
        assert!(matches!(bound.with(|edu| edu.last()), Some(Ok(_))));
    }
    assert_eq!(bound.with(|edu| edu.stats()).failed, 0);
}

#[test]
fn a_lost_interrupt_costs_time_and_no_result() {
    let Machine {
        sim,
        model,
        interrupts,
        ..
    } = Machine::computing(3.millis());
    let bound = bind(&sim, interrupts.pci_device().unwrap()).unwrap();
    drop(interrupts);
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    sim.advance(2.secs());
    assert_eq!(model.messages(), 1);
    let last = bound.with(|edu| edu.last()).unwrap().unwrap();
    assert_eq!((last.value, last.took), (120, 1.secs()));
}

#[test]
fn it_notices_that_its_device_is_gone() {
    for how in BOTH {
        let machine = Machine::busy(how, 100.millis(), 100.millis());
        let bound = machine.bind();
        bound.with(|edu| edu.start_factorial(5)).unwrap();
        bound.with(|edu| edu.send(0, &[1])).unwrap();
        machine.sim.advance(10.millis());
        machine.model.unplug();
        // Nothing tells; but there are statistics.
        machine.sim.advance(5.millis());
        assert_eq!(bound.with(|edu| edu.last()), Some(Err(Error::Gone)));
        let transfer = bound.with(|edu| edu.last_transfer());
        assert_eq!(transfer, Some(Err(Error::Gone)));
        assert_eq!(bound.with(|edu| edu.start_factorial(5)), Err(Error::Gone));
        assert_eq!(bound.with(|edu| edu.send(0, &[1])), Err(Error::Gone));
        let received = bound.with(|edu| edu.received(&mut [0]));
        assert_eq!(received, Err(Error::Gone));
        assert_eq!(bound.with(|edu| edu.stats()).failed, 2);
    }
}

#[test]
fn it_keeps_statistics() {
    let machine = Machine::computing(21.millis());
    let bound = machine.bind();
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    machine.sim.advance(100.millis());
    let stats = bound.with(|edu| edu.stats());
    assert_eq!((stats.samples, stats.busy), (20, 4));
}

#[test]
fn an_interrupt_that_is_not_the_devices_is_not_taken() {
    let machine = Machine::computing(10.millis());
    let bound = machine.bind();
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    for _ in 0..3 {
        machine.interrupts.line().raise();
        machine.sim.advance(1.millis());
    }
    assert_eq!(interrupts(&bound), (0, 3));
    assert_eq!(bound.with(|edu| edu.stats()).interrupts, 0);
    machine.sim.advance(10.millis());
    assert_eq!(bound.with(|edu| edu.last()).unwrap().unwrap().value, 120);
}

/// The raise register takes any cause.
#[test]
fn an_interrupt_is_no_result() {
    for how in BOTH {
        let machine = Machine::busy(how, 10.millis(), 10.millis());
        let bound = machine.bind();
        bound.with(|edu| edu.start_factorial(5)).unwrap();
        bound.with(|edu| edu.receive(0, 8)).unwrap();
        // That they are done; and something that nobody knows of.
        for causes in [0x101, 1 << 20, 0x7fff_ffff] {
            machine.model.write(0x60, 4, causes);
            machine.sim.advance(1.millis());
            assert!(!machine.model.interrupt_level(), "acknowledged");
            assert_eq!(bound.with(|edu| edu.last()), None);
            assert_eq!(bound.with(|edu| edu.last_transfer()), None);
        }
        machine.sim.advance(10.millis());
        assert_eq!(bound.with(|edu| edu.last()).unwrap().unwrap().value, 120);
        assert!(bound.with(|edu| edu.last_transfer()).unwrap().is_ok());
        // Done at the same instant: by messages these are two, by a level one.
        let at_last = bound.with(|edu| edu.stats()).interrupts - 3;
        assert!((1..=2).contains(&at_last), "{at_last}");
    }
}

/// Another device's driver.
struct Other;

impl Driver<Sim> for Other {
    type Device = IrqLine;
    type Data<'drv> = Irq<'drv, Sim>;
    type Error = driver_scope::Error;

    fn probe<'drv>(
        line: &'drv IrqLine,
        scope: &DriverScope<'drv, Sim>,
    ) -> Result<Irq<'drv, Sim>, driver_scope::Error> {
        // Its interrupts are those that come at whole tens of milliseconds.
        let is_ours = |now: driver_scope::Instant| now.as_nanos() % 10_000_000 == 0;
        scope.irq(line, move |cx| IrqReturn::from(is_ours(cx.now())))
    }
}

#[test]
fn a_line_may_be_shared() {
    let machine = Machine::busy(Delivery::Level, 3.millis(), 100.millis());
    let line = machine.interrupts.line().clone();
    let others = |other: &Binding<Other, Sim>| {
        let mut counts = None;
        other.inspect(|item| counts = item.irq().map(|irq| (irq.handled, irq.not_ours)).or(counts));
        counts.unwrap()
    };
    let bind = || {
        let sim = machine.sim.clone();
        let bound = machine
            .sim
            .may_sleep(|cx| Binding::bind(sim, line.clone(), cx));
        bound.map_err(|failed| failed.error).unwrap()
    };
    // One before it and one after it on the line.
    let (before, bound, after) = (bind(), machine.bind(), bind());
    for _ in 0..4 {
        bound.with(|edu| edu.start_factorial(5)).unwrap();
        machine.sim.advance(10.millis());
        assert!(!bound.with(|edu| edu.is_computing()));
        // Theirs.
        line.raise();
        machine.sim.advance(0.nanos());
    }
    assert_eq!(interrupts(&bound), (4, 4));
    assert_eq!(others(&before), (4, 4));
    assert_eq!(others(&after), (4, 4));
    assert_eq!(bound.with(|edu| edu.stats()).computed, 4);
    // They do not need it.
    machine.unbind(bound);
    machine.sim.advance(10.millis());
    line.raise();
    machine.sim.advance(0.nanos());
    assert_eq!((others(&before).0, others(&after).0), (5, 5));
}

#[test]
fn two_drivers_cannot_have_one_device() {
    let machine = Machine::computing(1.millis());
    let model = Arc::clone(&machine.model);
    let region = Region::new(model, 1 << 20);
    let device = |region: &Region| {
        PciDevice::new(0x1234, 0x11e8)
            .with_bar(0, region.clone())
            .and_then(|device| device.with_irq(0, machine.interrupts.line().clone()))
            .unwrap()
    };
    let _first = machine.bind_to(device(&region)).unwrap();
    let second = machine.bind_to(device(&region)).map(drop);
    assert_eq!(second, Err(Error::Core(driver_scope::Error::AlreadyMapped)));
}
