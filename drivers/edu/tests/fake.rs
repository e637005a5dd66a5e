//! Unit tests of the driver: on a fake of its registers, which does what the test says, and no more. (`edu.rs` has the driver on a model of the whole device.)

use std::time::Duration;

use driver_scope::platform::fake::Fault;
use driver_scope::platform::{DmaSpace, Fake, IrqLine, Sim};
use driver_scope::{Binding, PciDevice, Units};
use edu::registers::{
    Causes, DmaCommand, EduRegs, Id, Status, DMA_BUFFER, DMA_COMMAND, DMA_COUNT, DMA_DESTINATION,
    DMA_SOURCE, FACTORIAL, ID, INTERRUPT_ACKNOWLEDGE, INTERRUPT_STATUS, LIVENESS, STATUS,
};
use edu::{Edu, Error, PCI_ID};

const EDU: Id = Id::from_bits(0x0100_00ed);
/// What the driver writes to see whether the device works.
const PATTERN: u32 = 0x1234_5678;

/// Registers in which the driver finds what it looks for at first, and which know of interrupts.
fn fake() -> Fake<EduRegs> {
    let fake = Fake::<EduRegs>::new();
    fake.set(ID, EDU);
    fake.on_write(LIVENESS, |regs, value| regs.set(LIVENESS, !value));
    fake.on_write(INTERRUPT_ACKNOWLEDGE, |regs, causes| {
        regs.set(INTERRUPT_STATUS, regs.get(INTERRUPT_STATUS) - causes);
    });
    fake
}

/// What else the device has.
#[derive(Default)]
struct Rest {
    line: IrqLine,
    space: Option<DmaSpace>,
}

impl Rest {
    fn with_dma() -> Self {
        Rest {
            space: Some(DmaSpace::new()),
            ..Rest::default()
        }
    }

    /// An interrupt.
    fn raise(&self, fake: &Fake<EduRegs>, causes: Causes) {
        fake.set(INTERRUPT_STATUS, causes);
        self.line.raise();
    }

    fn bind(&self, sim: &Sim, fake: &Fake<EduRegs>) -> Result<Binding<Edu, Sim>, Error> {
        let mut device = PciDevice::new(PCI_ID.0, PCI_ID.1)
            .with_bar(0, fake.region())?
            .with_irq(0, self.line.clone())?;
        if let Some(space) = &self.space {
            device = device.with_dma(space.clone());
        }
        sim.may_sleep(|cx| Binding::bind(sim.clone(), device, cx).map_err(|failed| failed.error))
    }
}

fn bind(sim: &Sim, fake: &Fake<EduRegs>) -> Result<Binding<Edu, Sim>, Error> {
    Rest::default().bind(sim, fake)
}

/// Of a device that does what the fake says; from then on, so long.
fn factorial(fake: &Fake<EduRegs>, wait: Duration) -> Option<Result<u32, Error>> {
    let sim = Sim::new();
    let bound = bind(&sim, fake).unwrap();
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    sim.advance(wait);
    let last = bound.with(|edu| edu.last());
    assert_eq!(bound.with(|edu| edu.is_computing()), last.is_none());
    last.map(|last| last.map(|factorial| factorial.value))
}

#[test]
fn probe_does_this_and_remove_that() {
    let fake = fake();
    let sim = Sim::new();
    fake.expect()
        .read(ID, EDU)
        .write(LIVENESS, PATTERN)
        .read(LIVENESS, !PATTERN)
        .read(DMA_COMMAND, DmaCommand::empty())
        .read(INTERRUPT_STATUS, Causes::empty())
        .write(STATUS, Status::INTERRUPT);
    let bound = bind(&sim, &fake).unwrap();
    fake.verify().unwrap();

    fake.expect().write(STATUS, Status::empty());
    drop(bound);
    sim.advance(1.secs());
    fake.verify().unwrap();
}

/// Its line is high, and might raise no interrupt any more.
#[test]
fn what_was_raised_for_the_driver_before_is_acknowledged() {
    let fake = fake();
    fake.set(INTERRUPT_STATUS, Causes::DMA);
    fake.expect()
        .read(ID, EDU)
        .write(LIVENESS, PATTERN)
        .read(LIVENESS, !PATTERN)
        .read(DMA_COMMAND, DmaCommand::empty())
        .read(INTERRUPT_STATUS, Causes::DMA)
        .write(INTERRUPT_ACKNOWLEDGE, Causes::DMA)
        .write(STATUS, Status::INTERRUPT);
    let _bound = bind(&Sim::new(), &fake).unwrap();
    fake.verify().unwrap();
}

#[test]
fn a_device_that_is_no_edu_is_not_written() {
    let fake = fake();
    fake.expect().read(ID, Id::from_bits(0x0100_00ee));
    let error = bind(&Sim::new(), &fake).unwrap_err();
    assert_eq!(error, Error::NotEdu { id: 0x0100_00ee });
    fake.verify().unwrap();
}

#[test]
fn a_device_whose_liveness_register_does_not_answer_is_refused() {
    for (fault, answer) in [
        (Fault::stuck_high(0x10), !PATTERN | 0x10),
        (Fault::stuck_low(0x1), !PATTERN & !0x1),
        (Fault::loses_writes(), 0),
        (Fault::reads_ones(), !0),
    ] {
        let fake = fake();
        fake.fault(LIVENESS, fault);
        let error = bind(&Sim::new(), &fake).unwrap_err();
        assert_eq!(error, Error::NotAlive { answer });
    }
}

#[test]
fn a_factorial_takes_these_accesses() {
    let (fake, rest) = (fake(), Rest::default());
    let sim = Sim::new();
    fake.clock(&sim);
    let bound = rest.bind(&sim, &fake).unwrap();
    let busy = Status::INTERRUPT | Status::COMPUTING;
    fake.on_write(FACTORIAL, move |regs, _| regs.set(STATUS, busy));
    fake.expect()
        .read(STATUS, Status::INTERRUPT)
        .write(FACTORIAL, 5);
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    sim.advance(140.micros());
    // It is left alone until it says that it is done.
    fake.verify().unwrap();

    fake.set(STATUS, Status::INTERRUPT);
    fake.set(FACTORIAL, 120);
    fake.expect()
        .read(INTERRUPT_STATUS, Causes::FACTORIAL)
        .write(INTERRUPT_ACKNOWLEDGE, Causes::FACTORIAL)
        .read(STATUS, Status::INTERRUPT)
        .read(FACTORIAL, 120)
        .read(STATUS, Status::INTERRUPT);
    rest.raise(&fake, Causes::FACTORIAL);
    // Before the statistics have their first look.
    sim.advance(4.millis());
    let last = bound.with(|edu| edu.last()).unwrap().unwrap();
    fake.verify().unwrap();
    assert_eq!((last.value, last.took), (120, 140.micros()));
}

#[test]
fn a_transfer_takes_these_accesses() {
    let (fake, rest) = (fake(), Rest::with_dma());
    let space = rest.space.clone().unwrap();
    let sim = Sim::new();
    let bound = rest.bind(&sim, &fake).unwrap();
    let run = DmaCommand::START | DmaCommand::INTERRUPT;
    fake.expect()
        .read(DMA_COMMAND, DmaCommand::empty())
        .write_any(DMA_SOURCE)
        .write(DMA_DESTINATION, DMA_BUFFER + 8)
        .write(DMA_COUNT, 5)
        .write(DMA_COMMAND, run);
    bound.with(|edu| edu.send(8, b"hello")).unwrap();
    fake.verify().unwrap();
    let mut sent = [0; 5];
    space.read(fake.get(DMA_SOURCE).into(), &mut sent).unwrap();
    assert_eq!(&sent, b"hello");

    let done = |command: DmaCommand| {
        fake.set(DMA_COMMAND, command - DmaCommand::START);
        fake.expect()
            .read(INTERRUPT_STATUS, Causes::DMA)
            .write(INTERRUPT_ACKNOWLEDGE, Causes::DMA)
            .read(DMA_COMMAND, command - DmaCommand::START);
        rest.raise(&fake, Causes::DMA);
        sim.advance(1.millis());
        fake.verify().unwrap();
        assert!(matches!(bound.with(|edu| edu.last_transfer()), Some(Ok(_))));
    };
    done(run);

    fake.expect()
        .read(DMA_COMMAND, DmaCommand::INTERRUPT)
        .write(DMA_SOURCE, DMA_BUFFER + 16)
        .write_any(DMA_DESTINATION)
        .write(DMA_COUNT, 5)
        .write(DMA_COMMAND, run | DmaCommand::TO_MEMORY);
    bound.with(|edu| edu.receive(16, 5)).unwrap();
    fake.verify().unwrap();
    let place = fake.get(DMA_DESTINATION).into();
    space.write(place, b"hallo").unwrap();
    done(run | DmaCommand::TO_MEMORY);
    let mut received = [0; 5];
    assert_eq!(bound.with(|edu| edu.received(&mut received)), Ok(5));
    assert_eq!(&received, b"hallo");
}

/// It may still read and write its memory as the last driver has told it: at first the device must be done.
#[test]
fn a_device_that_transfers_is_waited_for_before_all_else() {
    let (fake, rest) = (fake(), Rest::with_dma());
    fake.on_read(DMA_COMMAND, |regs| match regs.reads(DMA_COMMAND) {
        1..=30 => DmaCommand::START,
        _ => DmaCommand::empty(),
    });
    let space = rest.space.clone().unwrap();
    fake.on_write(STATUS, move |regs, _| {
        assert_eq!((regs.reads(DMA_COMMAND), space.blocks()), (31, 1));
    });
    let sim = Sim::new();
    let bound = rest.bind(&sim, &fake).unwrap();
    fake.on_write(STATUS, |_, _| ());
    drop(bound);

    fake.fault(DMA_COMMAND, Fault::stuck_high(DmaCommand::START));
    assert_eq!(rest.bind(&sim, &fake).unwrap_err(), Error::Busy);
    fake.fault(DMA_COMMAND, Fault::reads_ones());
    assert_eq!(rest.bind(&sim, &fake).unwrap_err(), Error::Gone);
}

#[test]
fn a_device_that_is_never_done_is_given_up_after_a_second() {
    let after = |time| {
        let fake = fake();
        fake.fault(STATUS, Fault::stuck_high(Status::COMPUTING).after(1));
        factorial(&fake, time)
    };
    assert_eq!(after(999.millis()), None);
    assert_eq!(after(1100.millis()), Some(Err(Error::TimedOut)));
}

#[test]
fn a_glitch_of_the_status_register_is_a_device_that_is_gone() {
    let fake = fake();
    // At the first look of the statistics, and at what they then do about it.
    fake.fault(STATUS, Fault::reads_ones().after(1).times(2));
    fake.on_read(STATUS, |regs| match regs.reads(STATUS) {
        1 => Status::empty(),
        _ => Status::COMPUTING,
    });
    assert_eq!(factorial(&fake, 6.millis()), Some(Err(Error::Gone)));
}

/// At each moment: whatever the driver has in hand then, it neither hangs nor takes all ones for a result.
#[test]
fn a_device_may_be_pulled_out_at_any_moment() {
    let mut outcomes = Vec::new();
    for moment in 0.. {
        let (fake, rest) = (fake(), Rest::with_dma());
        // Both are done at once.
        let line = rest.line.clone();
        fake.on_write(FACTORIAL, move |regs, _| {
            regs.set(FACTORIAL, 120);
            regs.set(INTERRUPT_STATUS, Causes::FACTORIAL | Causes::DMA);
            line.raise();
        });
        fake.on_write(DMA_COMMAND, |regs, command| {
            regs.set(DMA_COMMAND, command - DmaCommand::START);
        });
        fake.remove_after(moment);

        let sim = Sim::new();
        let outcome = rest.bind(&sim, &fake).and_then(|bound| {
            bound.with(|edu| edu.receive(0, 8))?;
            bound.with(|edu| edu.start_factorial(5))?;
            sim.advance(7.millis());
            let factorial = bound.with(|edu| edu.last()).unwrap();
            let transfer = bound.with(|edu| edu.last_transfer()).unwrap();
            let received = bound.with(|edu| edu.received(&mut [0; 8]));
            assert_eq!(received, transfer.map(|transfer| transfer.len));
            Ok((factorial.map(|factorial| factorial.value), received))
        });
        outcomes.push(outcome);
        // In time for the last access, which is `remove`'s.
        if fake.log().len() <= moment {
            break;
        }
    }
    let not_alive = Err(Error::NotAlive { answer: !0 });
    let gone = |times| vec![Err(Error::Gone); times];
    let both = |factorial, transfer, times| vec![Ok((factorial, transfer)); times];
    let expected = [
        // Before the id; before the pattern, and before its answer.
        vec![Err(Error::NotEdu { id: !0 }), not_alive, not_alive],
        // Before the look whether a transfer is under way, that for late interrupts, the interrupt's enable, and the first look again.
        gone(4),
        // Before what the transfer is told, and the look whether it is idle.
        gone(5),
        // Before the argument, the two of the handler, and the first look of the thread; then the result, and the look after it.
        both(Err(Error::Gone), Err(Error::Gone), 6),
        // Before the look at the transfer.
        both(Ok(120), Err(Error::Gone), 1),
        // Before that of the statistics, `remove`, and not at all.
        both(Ok(120), Ok(8), 3),
    ];
    assert_eq!(outcomes, expected.concat());
}

/// A late interrupt of one factorial, or one of somebody else's, finds the next one under way.
#[test]
fn an_interrupt_is_believed_as_far_as_the_status_says_so() {
    let (fake, rest) = (fake(), Rest::with_dma());
    let sim = Sim::new();
    let bound = rest.bind(&sim, &fake).unwrap();
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    bound.with(|edu| edu.receive(0, 8)).unwrap();
    fake.set(STATUS, Status::COMPUTING);
    rest.raise(&fake, Causes::FACTORIAL | Causes::DMA);
    sim.advance(1.millis());
    assert!(bound.with(|edu| edu.is_computing() && edu.is_transferring()));
    assert_eq!(bound.with(|edu| edu.stats()).interrupts, 1);
}
