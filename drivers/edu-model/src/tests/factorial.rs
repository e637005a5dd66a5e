use super::*;

#[test]
fn factorials_are_computed() {
    let rig = Rig::new();
    for (n, product) in [(0, 1), (1, 1), (5, 120), (10, 3_628_800), (12, 479_001_600)] {
        assert_eq!(rig.factorial(n), product, "{n}!");
    }
}

#[test]
fn factorials_wrap_at_32_bits() {
    let rig = Rig::new();
    for (n, product) in [
        (13, 0x7328_cc00),
        (33, 0x8000_0000),
        (34, 0),
        (u32::MAX.into(), 0),
    ] {
        assert_eq!(rig.factorial(n), product, "{n}!");
    }
}

#[test]
fn the_status_shows_computing_until_the_delay_is_over() {
    let rig = Rig::new();
    rig.put(FACTORIAL, 10);
    assert_eq!(rig.get(STATUS), 0x01);
    rig.pass(COMPUTE - 1);
    assert_eq!(rig.get(STATUS), 0x01);
    rig.pass(1);
    assert_eq!(rig.get(STATUS), 0x00);
}

#[test]
fn while_computing_the_register_reads_back_the_argument() {
    let rig = Rig::new();
    rig.put(FACTORIAL, 10);
    rig.pass(COMPUTE - 1);
    assert_eq!(rig.get(FACTORIAL), 10);
    rig.pass(1);
    assert_eq!(rig.get(FACTORIAL), 3_628_800);
}

#[test]
fn a_write_while_computing_is_ignored_and_does_not_prolong() {
    let rig = Rig::new();
    rig.put(FACTORIAL, 5);
    rig.pass(COMPUTE - 1);
    rig.put(FACTORIAL, 3);
    rig.pass(1);
    assert_eq!((rig.get(STATUS), rig.get(FACTORIAL)), (0, 120));
}

#[test]
fn a_write_at_the_end_starts_the_next_one() {
    let rig = Rig::new();
    rig.put(FACTORIAL, 5);
    rig.pass(COMPUTE);
    rig.put(FACTORIAL, 3);
    assert_eq!((rig.get(STATUS), rig.get(FACTORIAL)), (1, 3));
    assert_eq!(rig.factorial(0), 6);
}

#[test]
fn only_bit_7_of_the_status_is_writable() {
    let rig = Rig::new();
    rig.put(STATUS, 0xffff_ffff);
    assert_eq!(rig.get(STATUS), 0x80);
    rig.put(STATUS, 0x7f);
    assert_eq!(rig.get(STATUS), 0);
}

#[test]
fn a_status_write_does_not_stop_a_computation() {
    let rig = Rig::new();
    rig.put(FACTORIAL, 5);
    rig.put(STATUS, 0);
    assert_eq!(rig.get(STATUS), 1);
}

#[test]
fn is_computing_follows_the_status() {
    let rig = Rig::new();
    assert!(!rig.model.is_computing());
    rig.put(FACTORIAL, 5);
    assert!(rig.model.is_computing());
    rig.pass(COMPUTE);
    assert!(!rig.model.is_computing());
}
