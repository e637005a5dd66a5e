use super::*;

#[test]
fn the_addresses_and_the_count_are_stored_as_64_bits() {
    let rig = Rig::new();
    for offset in [SOURCE, DESTINATION, COUNT] {
        let value = 0x1122_3344_5566_7788 + offset;
        rig.put8(offset, value);
        assert_eq!(rig.get8(offset), value, "{offset:#x}");
    }
}

#[test]
fn a_four_byte_read_gives_the_low_half_and_the_high_half_has_no_address() {
    let rig = Rig::new();
    rig.put8(SOURCE, 0x1122_3344_5566_7788);
    assert_eq!(rig.get(SOURCE), 0x5566_7788);
    assert_eq!(rig.get(SOURCE + 4), 0xffff_ffff);
}

#[test]
fn a_four_byte_write_clears_the_high_half() {
    let rig = Rig::new();
    rig.put8(SOURCE, 0x1122_3344_5566_7788);
    rig.put(SOURCE + 4, 0xdead_beef);
    assert_eq!(rig.get8(SOURCE), 0x1122_3344_5566_7788);
    rig.put(SOURCE, 0xcafe_babe);
    assert_eq!(rig.get8(SOURCE), 0xcafe_babe);
}

#[test]
fn a_command_without_the_run_bit_is_ignored() {
    let rig = Rig::new();
    rig.put8(COMMAND, !1);
    assert_eq!(rig.get8(COMMAND), 0);
    assert_eq!(rig.model.next_event(), None);
}

#[test]
fn the_run_bit_alone_clears_at_the_end_of_the_transfer() {
    let rig = Rig::new();
    rig.put8(COMMAND, 0xabcd_0000_0000_0ff5);
    rig.pass(TRANSFER - 1);
    assert_eq!(rig.get8(COMMAND), 0xabcd_0000_0000_0ff5);
    rig.pass(1);
    assert_eq!(rig.get8(COMMAND), 0xabcd_0000_0000_0ff4);
}

#[test]
fn during_a_transfer_writes_are_ignored_and_do_not_prolong_it() {
    let rig = Rig::new();
    rig.put(SOURCE, 0x1000);
    rig.put(COMMAND, 1);
    rig.pass(TRANSFER - 1);
    for offset in [SOURCE, DESTINATION, COUNT, COMMAND] {
        rig.put(offset, 7);
    }
    let look = || [SOURCE, DESTINATION, COUNT, COMMAND].map(|offset| rig.get8(offset));
    assert_eq!(look(), [0x1000, 0, 0, 1]);
    rig.pass(1);
    assert_eq!(look(), [0x1000, 0, 0, 0]);
    assert_eq!(rig.model.accesses().busy, 4);
}

#[test]
fn a_transfer_raises_interrupt_0x100_if_asked_to() {
    let rig = Rig::new();
    rig.put(COMMAND, 1);
    rig.pass(TRANSFER);
    assert_eq!(rig.get(INTERRUPT_STATUS), 0);
    rig.put(COMMAND, 5);
    rig.pass(TRANSFER - 1);
    assert_eq!(rig.get(INTERRUPT_STATUS), 0);
    rig.pass(1);
    assert_eq!(rig.get(INTERRUPT_STATUS), 0x100);
    assert_eq!(rig.model.messages(), 1);
}

#[test]
fn a_transfer_and_a_computation_do_not_disturb_each_other() {
    let rig = Rig::new();
    rig.put(STATUS, 0x80);
    rig.put(COMMAND, 5);
    assert_eq!(rig.factorial(5), 120);
    assert_eq!((rig.get(COMMAND), rig.get(INTERRUPT_STATUS)), (5, 1));
    rig.pass(TRANSFER);
    assert_eq!((rig.get(COMMAND), rig.get(INTERRUPT_STATUS)), (4, 0x101));
}
