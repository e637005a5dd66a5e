//! Two unit tests of the edu driver on a fake of its registers, and what they print: a log, and what a test says that expected something else.
//!
//! `cargo run --example fake`. The driver is the very one that the other examples bind to a model of the whole device.
#![forbid(unsafe_code)]

use driver_scope::platform::fake::Fault;
use driver_scope::platform::{Fake, IrqLine, Sim};
use driver_scope::{Binding, PciDevice, Units};
use edu::registers::{EduRegs, Id, Status, FACTORIAL, ID, LIVENESS, STATUS};
use edu::{Edu, Error, PCI_ID};

const EDU: Id = Id::from_bits(0x0100_00ed);

fn main() {
    println!("A device that is pulled out while it computes:\n");
    pulled_out();
    println!("\nA test that expects too much of a broken device's driver:\n");
    expects_too_much();
}

fn bind(sim: &Sim, fake: &Fake<EduRegs>) -> Result<Binding<Edu, Sim>, Error> {
    fake.clock(sim);
    let device = PciDevice::new(PCI_ID.0, PCI_ID.1)
        .with_bar(0, fake.region())?
        .with_irq(0, IrqLine::new())?;
    sim.may_sleep(|cx| Binding::bind(sim.clone(), device, cx).map_err(|failed| failed.error))
}

fn pulled_out() {
    let sim = Sim::new();
    let fake = Fake::<EduRegs>::new();
    fake.set(ID, EDU);
    fake.on_write(FACTORIAL, |regs, _| regs.set(STATUS, Status::COMPUTING));
    fake.on_write(LIVENESS, |regs, value| regs.set(LIVENESS, !value));

    let bound = bind(&sim, &fake).expect("it answers as an edu device does");
    bound
        .with(|edu| edu.start_factorial(5))
        .expect("it is idle");
    sim.advance(100.micros());
    fake.remove();
    // The driver finds it when it next has a look for its statistics.
    sim.advance(6.millis());
    assert_eq!(bound.with(|edu| edu.last()), Some(Err(Error::Gone)));
    drop(bound);
    print!("{}", fake.log());
}

fn expects_too_much() {
    let fake = Fake::<EduRegs>::new();
    fake.fault(LIVENESS, Fault::stuck_low(1 << 4));
    fake.expect()
        .read(ID, EDU)
        .write(LIVENESS, 0x1234_5678)
        .read_held(LIVENESS)
        .write(FACTORIAL, 5);

    let refused = bind(&Sim::new(), &fake).map(drop);
    assert_eq!(
        refused,
        Err(Error::NotAlive {
            answer: 0x1234_5668
        })
    );
    // A test would have `fake.verify().unwrap()`.
    print!("{}", fake.verify().expect_err("it gives the device up"));
}
