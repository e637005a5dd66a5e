//! A guard that is forgotten: what it led to is never dropped while it may be used, and who waits can give up, or is told.

use std::mem::{self, ManuallyDrop};
use std::time::Duration;

use driver_scope::{Error, ReadSection, Revocable};
use loom::sync::Arc;
use loom::thread;

use crate::common::{bounded, Drops};
use crate::platform::LoomPlatform;
use crate::readers::{with_each_strategy, LoomSections, LoomSlots};

with_each_strategy!(
    a_forgotten_guard_keeps_the_value,
    a_forgotten_section_keeps_the_value
);

/// The reader goes on reading for as long as it borrows the place where the value is.
///
/// Fails when weakened by `slots-wait-fence`, `counted-enter-unchecked`, `revocable-given-up-kept`, `revocable-not-closed`,
/// `revocable-no-wait`, `revocable-dropped-twice`, `revocable-not-dropped`.
fn a_forgotten_guard_keeps_the_value<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let reader = {
            let value = Arc::clone(&value);
            thread::spawn(move || {
                let forgotten = value.try_access().map(ManuallyDrop::new);
                if let Some(value) = &forgotten {
                    value.touch();
                    thread::yield_now();
                    value.touch();
                }
                forgotten.is_some()
            })
        };
        let revoke = || platform.may_sleep(|cx| value.revoke_within(cx, Duration::ZERO));
        let first = revoke();
        let inside = reader.join().unwrap();
        match first {
            Ok(first) => assert!(first && !inside && drops.get() == 1),
            // (The reader may have been about to be refused.)
            Err(error) => assert_eq!(error, Error::TimedOut),
        }
        if inside {
            assert_eq!((revoke(), drops.get()), (Err(Error::TimedOut), 0));
        }
        // Its borrow is over, and so nobody can read it any more.
        drop(value);
        assert_eq!(drops.get(), 1);
    });
}

/// Likewise with everything, for ever.
///
/// Fails when weakened by `slots-enter-all-fence`, `slots-wait-one-gate`, `counted-enter-all-fence`, `counted-wait-fence`,
/// `counted-wait-one-gate`, `gate-not-shut`, `readers-light`, `readers-heavy`.
fn a_forgotten_section_keeps_the_value<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let reader = {
            let (platform, value) = (platform.clone(), Arc::clone(&value));
            thread::spawn(move || {
                let section = ManuallyDrop::new(ReadSection::enter(&platform));
                let value = value.try_access_with_guard(&section);
                if let Some(value) = value {
                    value.touch();
                }
                value.is_some()
            })
        };
        let revoke = || platform.may_sleep(|cx| value.revoke_within(cx, Duration::ZERO));
        let first = revoke();
        if reader.join().unwrap() {
            assert_eq!(first, Err(Error::TimedOut));
            assert_eq!((revoke(), drops.get()), (Err(Error::TimedOut), 0));
        }
    });
}

/// The reader's thread ends, so that nobody can end the section: who waits is told, whenever that comes.
///
/// Fails when weakened by `slots-enter-fence`, `slots-wait-first-note-only`, `slots-not-abandoned`, `slots-abandoned-handed-on`.
#[test]
fn who_waits_is_told_when_the_readers_thread_has_ended() {
    loom::model(|| {
        let platform = LoomPlatform::<LoomSlots>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let reader = {
            let (platform, value) = (platform.clone(), Arc::clone(&value));
            thread::spawn(move || {
                let inside = value.try_access().map(mem::forget).is_some();
                assert_eq!(platform.end_thread(), !inside);
                inside
            })
        };
        let revoked = platform.may_sleep(|cx| value.revoke(cx));
        let expected = if reader.join().unwrap() {
            (Err(Error::Leaked), 0)
        } else {
            (Ok(true), 1)
        };
        assert_eq!((revoked, drops.get()), expected);
    });
}

/// What was forgotten in the same cells on another value is no matter of this one's, which was read before and after: whenever who waits
/// looks.
///
/// Fails when weakened by `slots-further-fence`, `slots-not-abandoned`, `slots-abandoned-handed-on`, `slots-abandoned-release`,
/// `slots-abandoned-acquire`, `slots-abandoned-not-looked-at-again`.
#[test]
fn who_waits_for_another_value_is_not_told() {
    loom::model(|| {
        let platform = LoomPlatform::<LoomSlots>::with_sections();
        let (drops, kept) = (Drops::new(), Drops::new());
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let other = Arc::new(Revocable::new(platform.clone(), kept.resource()));
        let reader = {
            let (platform, value) = (platform.clone(), Arc::clone(&value));
            let other = Arc::clone(&other);
            thread::spawn(move || {
                value.try_access_with(|value| value.touch());
                mem::forget(other.try_access().expect("not revoked yet"));
                value.try_access_with(|value| value.touch());
                assert!(!platform.end_thread());
            })
        };
        assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        assert_eq!(drops.get(), 1);
        reader.join().unwrap();
        let stuck = platform.may_sleep(|cx| other.revoke(cx));
        assert_eq!((stuck, kept.get()), (Err(Error::Leaked), 0));
    });
}

/// The cells of a thread that has left all its sections are another's: who waits finds what that one notes there.
///
/// Fails when weakened by `slots-wait-everything-only`, `revocable-closed-late`, `readers-ended-release`, `readers-ended-acquire`.
#[test]
fn cells_of_an_ended_thread_are_used_again() {
    // Three threads around one gate do not finish unbounded.
    bounded(3, || {
        let platform = LoomPlatform::<LoomSlots>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let readers = [(); 2].map(|()| {
            let (platform, value) = (platform.clone(), Arc::clone(&value));
            thread::spawn(move || {
                value.try_access_with(|value| value.look());
                assert!(platform.end_thread());
            })
        });
        assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        assert_eq!(drops.get(), 1);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}
