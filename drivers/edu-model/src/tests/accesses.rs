use super::*;
use crate::AccessCounts;

#[test]
fn one_and_two_byte_reads_are_zero_everywhere() {
    let rig = Rig::new();
    rig.put(LIVENESS, 0);
    for offset in [ID, LIVENESS, LIVENESS + 1, 0x0c, RAISE, SOURCE, 0x4_0000] {
        assert_eq!(rig.model.read(offset, 1), 0, "{offset:#x}");
        assert_eq!(rig.model.read(offset, 2), 0, "{offset:#x}");
    }
}

#[test]
fn one_and_two_byte_writes_are_ignored() {
    let rig = Rig::new();
    for width in [1, 2] {
        rig.model.write(LIVENESS, width, 0);
        rig.model.write(SOURCE, width, 1);
        assert_eq!((rig.get(LIVENESS), rig.get8(SOURCE)), (0, 0));
    }
}

#[test]
fn eight_byte_reads_below_0x80_are_all_ones() {
    let rig = Rig::new();
    for offset in [ID, FACTORIAL, 0x10, STATUS, RAISE, 0x78] {
        assert_eq!(rig.get8(offset), u64::MAX, "{offset:#x}");
    }
}

#[test]
fn eight_byte_writes_below_0x80_are_ignored() {
    let rig = Rig::new();
    rig.put8(FACTORIAL, 3);
    assert!(!rig.model.is_computing());
}

#[test]
fn unknown_offsets_read_all_ones_of_the_width() {
    let rig = Rig::new();
    for offset in [0x0c, 0x10, 0x28, 0x78, 0x84, 0xa0, 0x4_0000, 0xf_fff8] {
        assert_eq!(rig.get(offset), 0xffff_ffff, "{offset:#x}");
    }
    for offset in [0xa0, 0x4_0000, 0xf_fff8] {
        assert_eq!(rig.get8(offset), u64::MAX, "{offset:#x}");
    }
}

#[test]
fn write_only_registers_read_all_ones() {
    let rig = Rig::new();
    assert_eq!(rig.get(RAISE), 0xffff_ffff);
    assert_eq!(rig.get(ACKNOWLEDGE), 0xffff_ffff);
}

#[test]
fn a_badly_aligned_access_reads_zero_and_writes_nothing() {
    let rig = Rig::new();
    rig.put(LIVENESS, 0);
    for (offset, width) in [
        (1, 2),
        (1, 4),
        (2, 4),
        (3, 4),
        (6, 4),
        (0x82, 4),
        (0x82, 8),
        (0x81, 8),
    ] {
        assert_eq!(rig.model.read(offset, width), 0, "{offset:#x} {width}");
        rig.model.write(offset, width, u64::MAX);
    }
    assert_eq!((rig.get(LIVENESS), rig.get8(SOURCE)), (0xffff_ffff, 0));
}

#[test]
fn an_eight_byte_read_at_an_odd_multiple_of_four_is_two_reads() {
    let rig = Rig::new();
    rig.put(LIVENESS, 0x1234_5678);
    rig.put8(SOURCE, 0x1122_3344_5566_7788);
    assert_eq!(rig.get8(LIVENESS), 0x0000_0000_edcb_a987);
    assert_eq!(rig.get8(INTERRUPT_STATUS), 0xffff_ffff_0000_0000);
    assert_eq!(rig.get8(0x7c), 0x5566_7788_ffff_ffff);
}

#[test]
fn an_eight_byte_write_at_an_odd_multiple_of_four_is_two_writes() {
    let rig = Rig::new();
    rig.put8(LIVENESS, 0x0000_0003_1111_1111);
    assert_eq!(rig.get(LIVENESS), 0xeeee_eeee);
    rig.pass(COMPUTE);
    assert_eq!(rig.get(FACTORIAL), 6);
}

#[test]
fn beyond_the_bar_reads_zero_and_writes_nothing() {
    let rig = Rig::new();
    for offset in [EduModel::BAR_SIZE - 4, EduModel::BAR_SIZE, u64::MAX - 3] {
        assert_eq!(rig.get8(offset), 0, "{offset:#x}");
        rig.put8(offset, 1);
    }
}

#[test]
fn bits_above_the_width_of_a_write_are_not_seen() {
    let rig = Rig::new();
    rig.put(SOURCE, u64::MAX);
    assert_eq!(rig.get8(SOURCE), 0xffff_ffff);
}

#[test]
fn the_counts_tell_what_became_of_accesses() {
    let rig = Rig::new();
    rig.get(ID);
    rig.get(0x0c); // unserved
    rig.put(ID, 0); // unserved
    rig.model.write(LIVENESS, 1, 0); // unserved
    rig.get8(0x7c); // unserved, in part
    rig.put(FACTORIAL, 3);
    rig.put(FACTORIAL, 4); // busy
    let counts = AccessCounts {
        reads: 3,
        writes: 4,
        unserved: 4,
        busy: 1,
        removed: 0,
    };
    assert_eq!(rig.model.accesses(), counts);
    rig.model.unplug();
    rig.get(0x0c);
    rig.put(FACTORIAL, 4);
    let counts = AccessCounts {
        reads: 4,
        writes: 5,
        removed: 2,
        ..counts
    };
    assert_eq!(rig.model.accesses(), counts);
}
