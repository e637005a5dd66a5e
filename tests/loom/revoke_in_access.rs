//! Who holds a guard of a value revokes it: that would wait for itself. Cells tell whose they are; a count does not, so there only a wait
//! with an end is of use.

use std::time::Duration;

use driver_scope::sections::Counted;
use driver_scope::{Error, ReadSection, Revocable};
use loom::sync::Arc;
use loom::thread;

use crate::common::Drops;
use crate::platform::LoomPlatform;
use crate::readers::LoomSlots;

/// Nothing has happened, so that everyone goes on reading; another thread's revoke waits for the guard.
///
/// Fails when weakened by `slots-wait-first-note-only`, `slots-hold-nothing`, `revocable-holds-unchecked`, `revocable-no-wait`.
#[test]
fn with_cells_it_is_refused_and_nothing_has_happened() {
    loom::model(|| {
        let platform = LoomPlatform::<LoomSlots>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let other = {
            let (platform, value) = (platform.clone(), Arc::clone(&value));
            let drops = drops.clone();
            thread::spawn(move || {
                assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
                assert_eq!(drops.get(), 1);
            })
        };
        if let Some(guard) = value.try_access() {
            let refused = platform.may_sleep(|cx| value.revoke(cx));
            assert_eq!(refused, Err(Error::Deadlock));
            guard.touch();
        }
        other.join().unwrap();
    });
}

/// The same alone, so that it shows what "nothing has happened" is; by a guard, by a section on everything, and by one that found its cell
/// taken.
///
/// Fails when weakened by `slots-hold-nothing`, `slots-hold-one-gate`, `slots-hold-any`, `revocable-holds-unchecked`,
/// `revocable-holds-checked-late`.
#[test]
fn with_cells_the_value_can_be_read_afterwards() {
    loom::model(|| {
        let platform = LoomPlatform::<LoomSlots>::with_sections();
        let drops = Drops::new();
        let value = Revocable::new(platform.clone(), drops.resource());
        let refused = |value: &Revocable<_, _>| {
            let refused = platform.may_sleep(|cx| value.revoke(cx));
            assert_eq!(refused, Err(Error::Deadlock));
            assert!(!value.is_revoked());
        };
        let section = ReadSection::enter(&platform);
        refused(&value);
        let guard = value.try_access();
        refused(&value);
        drop(section);
        refused(&value);
        drop(guard);
        let other = Revocable::new(platform.clone(), drops.resource());
        let guard = other.try_access();
        assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        refused(&other);
        drop(guard);
        assert_eq!(drops.get(), 1);
    });
}

/// It gives up, the value stays until the guard has gone, and a later revoke drops it, whosever it is.
///
/// Fails when weakened by `counted-wait-acquire`, `revocable-given-up-kept`, `revocable-closed-late`, `revocable-dropped-twice`.
#[test]
fn with_a_count_it_gives_up_and_a_later_one_finishes() {
    loom::model(|| {
        let platform = LoomPlatform::<Counted>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let guard = value.try_access().expect("not revoked yet");
        let stuck = platform.may_sleep(|cx| value.revoke_within(cx, Duration::ZERO));
        assert_eq!((stuck, drops.get()), (Err(Error::TimedOut), 0));
        assert!(value.try_access().is_none());
        let other = {
            let (platform, value) = (platform.clone(), Arc::clone(&value));
            let drops = drops.clone();
            thread::spawn(move || {
                assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
                assert_eq!(drops.get(), 1);
            })
        };
        guard.touch();
        drop(guard);
        other.join().unwrap();
    });
}
