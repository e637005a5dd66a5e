//! Unit tests of the driver: on a fake of its registers, which does what the test says, and no more. (`edu.rs` has the driver on a model of the whole device.)

use std::time::Duration;

use driver_scope::platform::fake::Fault;
use driver_scope::platform::{Fake, Sim};
use driver_scope::{Binding, PciDevice, Units};
use edu::registers::{EduRegs, Id, Status, FACTORIAL, ID, LIVENESS, STATUS};
use edu::{Edu, Error, PCI_ID};

const EDU: Id = Id::from_bits(0x0100_00ed);
/// What the driver writes to see whether the device works.
const PATTERN: u32 = 0x1234_5678;

/// Registers in which the driver finds what it looks for at first.
fn fake() -> Fake<EduRegs> {
    let fake = Fake::<EduRegs>::new();
    fake.set(ID, EDU);
    fake.on_write(LIVENESS, |regs, value| regs.set(LIVENESS, !value));
    fake
}

fn bind(sim: &Sim, fake: &Fake<EduRegs>) -> Result<Binding<Edu, Sim>, Error> {
    let device = PciDevice::new(PCI_ID.0, PCI_ID.1).with_bar(0, fake.region())?;
    sim.may_sleep(|cx| Binding::bind(sim.clone(), device, cx).map_err(|failed| failed.error))
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
        .read(LIVENESS, !PATTERN);
    let bound = bind(&sim, &fake).unwrap();
    fake.verify().unwrap();

    fake.expect().write(STATUS, Status::empty());
    drop(bound);
    sim.advance(1.secs());
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
    let fake = fake();
    let sim = Sim::new();
    fake.clock(&sim);
    let bound = bind(&sim, &fake).unwrap();
    fake.expect()
        .read(STATUS, Status::empty())
        .write(FACTORIAL, 5)
        .read(STATUS, Status::COMPUTING)
        .read(STATUS, Status::COMPUTING)
        .read(STATUS, Status::empty())
        .read(FACTORIAL, 120)
        .read(STATUS, Status::empty());
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    // Before the statistics have their first look.
    sim.advance(4.millis());
    let last = bound.with(|edu| edu.last()).unwrap().unwrap();
    fake.verify().unwrap();
    assert_eq!((last.value, last.took), (120, 140.micros()));
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
    fake.fault(STATUS, Fault::reads_ones().after(3).times(1));
    fake.on_read(STATUS, |regs| match regs.reads(STATUS) {
        1 => Status::empty(),
        _ => Status::COMPUTING,
    });
    assert_eq!(factorial(&fake, 1.millis()), Some(Err(Error::Gone)));
}

/// At each moment: whatever the driver has in hand then, it neither hangs nor takes all ones for a result.
#[test]
fn a_device_may_be_pulled_out_at_any_moment() {
    let mut outcomes = Vec::new();
    for moment in 0.. {
        let fake = fake();
        fake.on_read(STATUS, |regs| match regs.reads(STATUS) {
            2 => Status::COMPUTING,
            _ => Status::empty(),
        });
        fake.on_write(FACTORIAL, |regs, _| regs.set(FACTORIAL, 120));
        fake.remove_after(moment);

        let sim = Sim::new();
        let outcome = bind(&sim, &fake).and_then(|bound| {
            bound.with(|edu| edu.start_factorial(5))?;
            sim.advance(4.millis());
            bound.with(|edu| edu.last()).unwrap()
        });
        outcomes.push(outcome.map(|factorial| factorial.value));
        // In time for the last access, which is `remove`'s.
        if fake.log().len() <= moment {
            break;
        }
    }
    let gone = |times| vec![Err(Error::Gone); times];
    let not_alive = Err(Error::NotAlive { answer: !0 });
    let expected = [
        // Before the id; before the pattern, and before its answer.
        vec![Err(Error::NotEdu { id: !0 }), not_alive, not_alive],
        // Before the look whether it is idle, the argument, the two looks, the result, and the look after it.
        gone(6),
        // Before `remove`, and not at all.
        vec![Ok(120); 2],
    ];
    assert_eq!(outcomes, expected.concat());
}
