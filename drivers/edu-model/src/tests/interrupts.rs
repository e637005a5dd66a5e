use super::*;

#[test]
fn a_factorial_raises_bit_0_if_bit_7_of_the_status_is_set() {
    let rig = Rig::new();
    rig.put(STATUS, 0x80);
    rig.put(FACTORIAL, 5);
    rig.pass(COMPUTE - 1);
    assert_eq!((rig.get(INTERRUPT_STATUS), rig.get(STATUS)), (0, 0x81));
    rig.pass(1);
    assert_eq!((rig.get(INTERRUPT_STATUS), rig.get(STATUS)), (1, 0x80));
}

#[test]
fn a_factorial_raises_nothing_otherwise() {
    let rig = Rig::new();
    rig.factorial(5);
    assert_eq!(rig.get(INTERRUPT_STATUS), 0);
    assert!(!rig.model.interrupt_level());
}

#[test]
fn bit_7_counts_at_the_end_of_the_computation() {
    let rig = Rig::new();
    rig.put(FACTORIAL, 5);
    rig.put(STATUS, 0x80);
    rig.pass(COMPUTE);
    assert_eq!(rig.get(INTERRUPT_STATUS), 1, "set meanwhile");

    rig.put(ACKNOWLEDGE, 1);
    rig.put(FACTORIAL, 5);
    rig.put(STATUS, 0);
    rig.pass(COMPUTE);
    assert_eq!(rig.get(INTERRUPT_STATUS), 0, "cleared meanwhile");
}

#[test]
fn bit_7_set_after_the_end_raises_nothing() {
    let rig = Rig::new();
    rig.put(FACTORIAL, 5);
    rig.pass(COMPUTE);
    // The first access since the end: the computation must not be ended under the new status.
    rig.put(STATUS, 0x80);
    assert_eq!(rig.get(INTERRUPT_STATUS), 0);
}

#[test]
fn result_status_and_interrupt_change_in_one_instant() {
    let rig = Rig::new();
    rig.put(STATUS, 0x80);
    rig.put(FACTORIAL, 5);
    rig.pass(COMPUTE - 1);
    let look = || {
        (
            rig.get(FACTORIAL),
            rig.get(STATUS),
            rig.model.interrupt_level(),
        )
    };
    assert_eq!(look(), (5, 0x81, false));
    rig.pass(1);
    assert_eq!(look(), (120, 0x80, true));
}

#[test]
fn the_level_is_high_until_every_bit_is_acknowledged() {
    let rig = Rig::new();
    rig.put(RAISE, 5);
    assert!(rig.model.interrupt_level());
    rig.put(ACKNOWLEDGE, 4);
    assert!(rig.model.interrupt_level());
    rig.put(ACKNOWLEDGE, 1);
    assert!(!rig.model.interrupt_level());
}

#[test]
fn raise_sets_and_acknowledge_clears_just_their_bits() {
    let rig = Rig::new();
    rig.put(RAISE, 0xf0f0_f0f0);
    rig.put(RAISE, 0x0000_000f);
    assert_eq!(rig.get(INTERRUPT_STATUS), 0xf0f0_f0ff);
    rig.put(ACKNOWLEDGE, 0xf000_000f);
    assert_eq!(rig.get(INTERRUPT_STATUS), 0x00f0_f0f0);
}

#[test]
fn the_interrupt_status_is_read_only() {
    let rig = Rig::new();
    rig.put(RAISE, 2);
    rig.put(INTERRUPT_STATUS, 0xff);
    assert_eq!(rig.get(INTERRUPT_STATUS), 2);
}

#[test]
fn a_raise_of_nothing_raises_nothing() {
    let rig = Rig::new();
    rig.put(RAISE, 0);
    assert_eq!(
        (rig.model.interrupt_level(), rig.model.messages()),
        (false, 0)
    );
}

#[test]
fn every_raise_sends_a_message_while_the_status_is_not_zero() {
    let rig = Rig::new();
    rig.put(RAISE, 1);
    assert_eq!(rig.model.messages(), 1);
    rig.put(RAISE, 1);
    assert_eq!(rig.model.messages(), 2, "the same bit again");
    rig.put(RAISE, 0);
    assert_eq!(rig.model.messages(), 3, "no bit, but one is set");
    rig.put(ACKNOWLEDGE, 0);
    rig.put(ACKNOWLEDGE, 1);
    assert_eq!(rig.model.messages(), 3, "acknowledged");
}

#[test]
fn the_end_of_a_factorial_sends_one_message() {
    let rig = Rig::new();
    rig.put(STATUS, 0x80);
    rig.factorial(5);
    rig.pass(COMPUTE);
    assert_eq!(rig.model.messages(), 1);
}
