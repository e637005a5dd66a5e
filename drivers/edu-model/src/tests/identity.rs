use super::{Rig, FACTORIAL, ID, INTERRUPT_STATUS, LIVENESS, STATUS};
use crate::EduModel;

#[test]
fn the_id_is_edu_version_1_0() {
    assert_eq!(Rig::new().get(ID), 0x0100_00ed);
}

#[test]
fn the_id_is_read_only() {
    let rig = Rig::new();
    rig.put(ID, 5);
    assert_eq!(rig.get(ID), 0x0100_00ed);
}

#[test]
fn liveness_reads_back_the_bitwise_not() {
    let rig = Rig::new();
    rig.put(LIVENESS, 0x1234_5678);
    assert_eq!(rig.get(LIVENESS), 0xedcb_a987);
}

#[test]
fn at_power_on_the_writable_registers_are_zero() {
    let rig = Rig::new();
    for offset in [LIVENESS, FACTORIAL, STATUS, INTERRUPT_STATUS] {
        assert_eq!(rig.get(offset), 0, "{offset:#x}");
    }
}

#[test]
fn the_pci_identity_is_the_documented_one() {
    assert_eq!(
        (EduModel::VENDOR_ID, EduModel::DEVICE_ID, EduModel::BAR_SIZE),
        (0x1234, 0x11e8, 0x10_0000)
    );
}
