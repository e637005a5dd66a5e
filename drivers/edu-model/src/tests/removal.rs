use super::*;

#[test]
fn a_removed_device_reads_all_ones_of_every_width() {
    let rig = Rig::new();
    assert!(rig.model.is_plugged());
    rig.model.unplug();
    assert!(!rig.model.is_plugged());
    for offset in [ID, LIVENESS, STATUS, SOURCE, 0x81] {
        for (width, ones) in [(1, 0xff), (2, 0xffff), (4, 0xffff_ffff), (8, u64::MAX)] {
            assert_eq!(rig.model.read(offset, width), ones, "{offset:#x} {width}");
        }
    }
}

#[test]
fn a_removed_device_ignores_writes() {
    let rig = Rig::new();
    rig.model.unplug();
    rig.put(FACTORIAL, 5);
    rig.put(RAISE, 1);
    assert!(!rig.model.is_computing());
    assert!(!rig.model.interrupt_level());
    assert_eq!(rig.model.messages(), 0);
}

#[test]
fn a_computation_does_not_outlive_the_device() {
    let rig = Rig::new();
    rig.put(STATUS, 0x80);
    rig.put(FACTORIAL, 5);
    rig.model.unplug();
    assert!(!rig.model.is_computing());
    assert_eq!(rig.model.next_event(), None);
    rig.pass(COMPUTE);
    assert!(!rig.model.interrupt_level());
    assert_eq!(rig.model.messages(), 0);
}

#[test]
fn what_ended_before_the_removal_was_told() {
    let rig = Rig::new();
    rig.put(STATUS, 0x80);
    rig.put(FACTORIAL, 5);
    rig.pass(COMPUTE);
    rig.model.unplug();
    assert_eq!(rig.model.messages(), 1);
}

#[test]
fn removal_lowers_the_interrupt_line() {
    let rig = Rig::new();
    rig.put(RAISE, 1);
    rig.model.unplug();
    assert!(!rig.model.interrupt_level());
}
