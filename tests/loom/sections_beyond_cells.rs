//! A thread inside more sections than fit where it notes them first: each holds off its own revoke until its own end.

use driver_scope::{ReadSection, Revocable};
use loom::sync::Arc;
use loom::thread;

use crate::common::Drops;
use crate::platform::LoomPlatform;
use crate::readers::LoomSlots;

/// Two fill the first cells, the third is noted elsewhere; they end in another order than they began.
///
/// Fails when weakened by `slots-further-fence`, `slots-leave-release`, `revocable-not-dropped`.
#[test]
fn each_of_three_guards_keeps_its_value() {
    loom::model(|| {
        let platform = LoomPlatform::<LoomSlots>::with_sections();
        let (drops, others) = (Drops::new(), Drops::new());
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let reader = {
            let (value, platform, others) = (Arc::clone(&value), platform.clone(), others.clone());
            thread::spawn(move || {
                let own = [(); 2].map(|()| Revocable::new(platform.clone(), others.resource()));
                let [first, second] = own.each_ref().map(|own| own.try_access());
                let third = value.try_access();
                drop(first);
                if let Some(value) = &third {
                    value.touch();
                }
                drop(second);
                drop(third);
            })
        };
        assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        assert_eq!(drops.get(), 1);
        reader.join().unwrap();
        assert_eq!(others.get(), 2);
    });
}

/// Likewise a section on everything, inside others.
///
/// Fails when weakened by `slots-further-fence`, `slots-leave-all-release`, `slots-wait-one-gate`.
#[test]
fn a_section_beyond_the_cells_keeps_the_value() {
    loom::model(|| {
        let platform = LoomPlatform::<LoomSlots>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let reader = {
            let (value, platform) = (Arc::clone(&value), platform.clone());
            thread::spawn(move || {
                let own = Revocable::new(platform.clone(), ());
                let _inside = [own.try_access(), own.try_access()];
                let section = ReadSection::enter(&platform);
                if let Some(value) = value.try_access_with_guard(&section) {
                    value.touch();
                }
            })
        };
        assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        assert_eq!(drops.get(), 1);
        reader.join().unwrap();
    });
}

/// A cell beyond the first is used for one value after the other. Who waits for the first value finds the second there.
///
/// Fails when weakened by `slots-further-release`, `slots-wait-again-acquire`, `revocable-not-closed`, `readers-visit-mine`.
#[test]
fn a_further_cell_serves_one_value_after_the_other() {
    loom::model(|| {
        let platform = LoomPlatform::<LoomSlots>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let reader = {
            let (value, platform) = (Arc::clone(&value), platform.clone());
            thread::spawn(move || {
                let own = Revocable::new(platform.clone(), ());
                let outer = own.try_access();
                value.try_access_with(|value| value.touch());
                own.try_access_with(|()| ());
                drop(ReadSection::enter(&platform));
                drop(outer);
            })
        };
        assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        assert_eq!(drops.get(), 1);
        reader.join().unwrap();
    });
}
