//! What the device copies.

use driver_scope::Units;
use edu::{Direction, Error};
use edu_model::{Delivery, EduConfig};

use super::{Bound, Machine, BOTH};

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 7 + n / 256 + 1) as u8).collect()
}

/// Waits for a transfer, which takes 100 ms.
fn made(machine: &Machine, bound: &Bound) -> edu::Transfer {
    assert!(bound.with(|edu| edu.is_transferring()));
    machine.sim.advance(150.millis());
    assert!(!bound.with(|edu| edu.is_transferring()));
    bound.with(|edu| edu.last_transfer()).unwrap().unwrap()
}

#[test]
fn bytes_go_to_the_device_and_come_back() {
    for how in BOTH {
        let machine = Machine::new(how, EduConfig::default());
        let bound = machine.bind();
        for (at, len) in [(0, 4096), (0, 1), (4095, 1), (13, 1000), (3000, 1096)] {
            let sent = pattern(len);
            bound.with(|edu| edu.send(at, &sent)).unwrap();
            let there = made(&machine, &bound);
            assert_eq!((there.direction, there.len), (Direction::ToDevice, len));
            // By its interrupt, so at once.
            assert_eq!(there.took, 100.millis());
            // It brought nothing.
            assert_eq!(bound.with(|edu| edu.received(&mut [0; 9])), Ok(0));
            // What is in memory now is something else.
            bound.with(|edu| edu.receive(4096 - 8, 8)).unwrap();
            made(&machine, &bound);

            bound.with(|edu| edu.receive(at, len)).unwrap();
            let back = made(&machine, &bound);
            assert_eq!((back.direction, back.len), (Direction::FromDevice, len));
            // As much as there is, or fits.
            for room in [5000, len, len / 2, 0] {
                let mut back = vec![0xee; room];
                let got = bound.with(|edu| edu.received(&mut back)).unwrap();
                assert_eq!(got, len.min(room));
                assert_eq!(back[..got], sent[..got]);
                assert!(back[got..].iter().all(|byte| *byte == 0xee));
            }
        }
        let stats = bound.with(|edu| edu.stats());
        assert_eq!((stats.transferred, stats.failed), (15, 0));
        let counts = machine.model.transfers();
        assert_eq!((counts.made, counts.clamped), (15, 0));
        assert_eq!(machine.space.faults(), 0);
        assert_eq!(machine.model.accesses().busy, 0);
    }
}

#[test]
fn what_is_not_in_the_buffer_is_refused() {
    let machine = Machine::new(Delivery::Messages, EduConfig::default());
    let bound = machine.bind();
    let before = machine.model.accesses();
    let too_much = vec![0; 4097];
    for (at, len) in [
        (0, 0),
        (0, 4097),
        (1, 4096),
        (4096, 1),
        (4096, 0),
        (usize::MAX, 1),
        (usize::MAX, 2),
        (1 << 32, 1),
        ((1 << 32) - 1, 2),
    ] {
        let refused = Err(Error::NotInBuffer { at, len });
        assert_eq!(bound.with(|edu| edu.send(at, &too_much[..len])), refused);
        assert_eq!(bound.with(|edu| edu.receive(at, len)), refused);
    }
    let wraps = Err(Error::NotInBuffer {
        at: 8,
        len: usize::MAX,
    });
    assert_eq!(bound.with(|edu| edu.receive(8, usize::MAX)), wraps);
    assert_eq!(machine.model.accesses(), before);
    assert_eq!(bound.with(|edu| edu.last_transfer()), None);
}

#[test]
fn there_is_one_at_a_time() {
    let machine = Machine::new(Delivery::Messages, EduConfig::default());
    let bound = machine.bind();
    bound.with(|edu| edu.send(0, b"first")).unwrap();
    assert_eq!(bound.with(|edu| edu.send(0, b"other")), Err(Error::Busy));
    assert_eq!(bound.with(|edu| edu.receive(0, 5)), Err(Error::Busy));
    let received = bound.with(|edu| edu.received(&mut [0]));
    assert_eq!(received, Err(Error::Busy));
    // Whereas a factorial does not mind.
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    made(&machine, &bound);
    assert_eq!(bound.with(|edu| edu.last()).unwrap().unwrap().value, 120);

    bound.with(|edu| edu.receive(0, 5)).unwrap();
    made(&machine, &bound);
    let mut back = [0; 5];
    assert_eq!(bound.with(|edu| edu.received(&mut back)), Ok(5));
    assert_eq!(&back, b"first");
    assert_eq!(machine.model.accesses().busy, 0);
}

#[test]
fn a_transfer_that_is_never_done_is_given_up() {
    let machine = Machine::busy(Delivery::Level, 1.millis(), 3.secs());
    let bound = machine.bind();
    bound.with(|edu| edu.receive(0, 8)).unwrap();
    machine.sim.advance(999.millis());
    assert_eq!(bound.with(|edu| edu.last_transfer()), None);
    machine.sim.advance(1.millis());
    let last = bound.with(|edu| edu.last_transfer());
    assert_eq!(last, Some(Err(Error::TimedOut)));
    let received = bound.with(|edu| edu.received(&mut [0; 8]));
    assert_eq!(received, Err(Error::TimedOut));
    assert_eq!(bound.with(|edu| edu.stats()).failed, 1);
    // It goes on: no other can be made, and what it writes to stays the driver's.
    assert!(!bound.with(|edu| edu.is_transferring()));
    assert_eq!(bound.with(|edu| edu.receive(0, 8)), Err(Error::Busy));
    assert_eq!(bound.with(|edu| edu.send(0, &[1])), Err(Error::Busy));
    machine.sim.advance(3.secs());
    assert_eq!(machine.space.faults(), 0);
    let last = bound.with(|edu| edu.last_transfer());
    assert_eq!(last, Some(Err(Error::TimedOut)));
    bound.with(|edu| edu.receive(0, 8)).unwrap();
}

#[test]
fn a_device_may_have_no_dma() {
    let machine = Machine::new(Delivery::Messages, EduConfig::default());
    let device = machine.interrupts.pci_device().unwrap();
    let bound = machine.bind_to(device).unwrap();
    assert_eq!(bound.with(|edu| edu.send(0, &[1])), Err(Error::NoDma));
    assert_eq!(bound.with(|edu| edu.receive(0, 1)), Err(Error::NoDma));
    let received = bound.with(|edu| edu.received(&mut [0]));
    assert_eq!(received, Err(Error::NoDma));
    assert!(!bound.with(|edu| edu.is_transferring()));
    assert_eq!(bound.with(|edu| edu.last_transfer()), None);
    // All else is as ever.
    bound.with(|edu| edu.start_factorial(5)).unwrap();
    machine.sim.advance(1.millis());
    assert_eq!(bound.with(|edu| edu.last()).unwrap().unwrap().value, 120);
}
