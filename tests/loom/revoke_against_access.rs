//! A value is revoked while others read it: it is dropped when they have left, and its drop sees what they did.

use driver_scope::{ReadSection, Revocable};
use loom::sync::Arc;
use loom::thread;

use crate::common::{bounded, Drops};
use crate::platform::LoomPlatform;
use crate::readers::{with_each_strategy, LoomSections};

with_each_strategy!(
    a_guard_keeps_the_value,
    two_readers_keep_the_value,
    a_section_keeps_two_values,
    sections_that_follow_each_other_keep_the_value,
    a_reader_of_another_value_is_no_reader_of_this,
);

/// What the reader wrote is seen by the drop.
///
/// Fails when weakened by `slots-leave-release`, `counted-enter-unchecked`, `counted-wait-acquire`, `revocable-not-closed`,
/// `revocable-no-wait`, `revocable-dropped-twice`, `readers-heavy`.
fn a_guard_keeps_the_value<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let reader = {
            let value = Arc::clone(&value);
            thread::spawn(move || {
                if let Some(guard) = value.try_access() {
                    guard.touch();
                }
            })
        };
        assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        assert_eq!(drops.get(), 1);
        reader.join().unwrap();
        assert!(value.try_access().is_none());
    });
}

/// Whichever leaves first.
///
/// Fails when weakened by `slots-wait-fence`, `slots-wait-again-acquire`, `slots-enter-unchecked`,
/// `counted-refused-not-taken-back`, `revocable-not-closed`, `revocable-closed-late`.
fn two_readers_keep_the_value<S: LoomSections>() {
    // Three threads around one gate do not finish unbounded.
    bounded(5, || {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let readers = [(); 2].map(|()| {
            let value = Arc::clone(&value);
            thread::spawn(move || value.try_access_with(|value| value.look()))
        });
        assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        assert_eq!(drops.get(), 1);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

/// One section covers both.
///
/// Fails when weakened by `slots-enter-all-fence`, `slots-leave-all-release`, `counted-enter-all-fence`,
/// `counted-leave-all-release`, `counted-wait-all-acquire`, `counted-wait-one-gate`, `readers-light`, `readers-visit-mine`.
fn a_section_keeps_two_values<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let values = [(); 2].map(|()| Revocable::new(platform.clone(), drops.resource()));
        let values = Arc::new(values);
        let reader = {
            let (platform, values) = (platform.clone(), Arc::clone(&values));
            thread::spawn(move || {
                let section = ReadSection::enter(&platform);
                for value in values.iter() {
                    if let Some(value) = value.try_access_with_guard(&section) {
                        value.touch();
                    }
                }
            })
        };
        for value in values.iter() {
            assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        }
        assert_eq!(drops.get(), 2);
        reader.join().unwrap();
    });
}

/// The reader comes back at once: who waits may find the second section, or nothing, and sees what was done in the first all the same.
///
/// Fails when weakened by `slots-enter-all-release`, `slots-wait-first-acquire`, `slots-wait-one-gate`, `counted-wait-fence`,
/// `counted-leave-all-release`, `counted-wait-all-acquire`.
fn sections_that_follow_each_other_keep_the_value<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let reader = {
            let (platform, value) = (platform.clone(), Arc::clone(&value));
            thread::spawn(move || {
                for _ in 0..2 {
                    let section = ReadSection::enter(&platform);
                    if let Some(value) = value.try_access_with_guard(&section) {
                        value.touch();
                    }
                }
            })
        };
        assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        assert_eq!(drops.get(), 1);
        reader.join().unwrap();
    });
}

/// A place where a section was noted serves another gate. Who waits for the first gate finds the second there, or a refusal, and sees
/// what was done behind the first.
///
/// Fails when weakened by `slots-enter-fence`, `slots-enter-release`, `slots-wait-everything-only`, `slots-wait-first-note-only`,
/// `counted-leave-release`, `counted-wait-acquire`, `gate-not-shut`.
fn a_reader_of_another_value_is_no_reader_of_this<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let (drops, others) = (Drops::new(), Drops::new());
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let other = Arc::new(Revocable::new(platform.clone(), others.resource()));
        let reader = {
            let (value, other) = (Arc::clone(&value), Arc::clone(&other));
            thread::spawn(move || {
                let seen = value.try_access_with(|value| value.touch()).is_some();
                assert!(other.try_access_with(|other| other.touch()).is_some());
                seen
            })
        };
        assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        assert_eq!(drops.get(), 1);
        reader.join().unwrap();
        assert_eq!(others.get(), 0);
    });
}
