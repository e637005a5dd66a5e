//! One thread revokes a value and lets go of it, the other lets go of it: the value is dropped once, by whichever comes to it.

use driver_scope::Revocable;
use loom::sync::Arc;
use loom::thread;

use crate::common::Drops;
use crate::platform::LoomPlatform;
use crate::readers::{with_each_strategy, LoomSections};

with_each_strategy!(
    the_value_is_dropped_once,
    the_last_owner_drops_what_nobody_revoked,
);

/// Fails when weakened by `slots-wait-first-acquire`, `counted-enter-unchecked`, `counted-leave-release`, `counted-wait-acquire`,
/// `revocable-not-closed`, `revocable-closed-late`, `revocable-no-wait`, `revocable-dropped-twice`.
fn the_value_is_dropped_once<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let owner = {
            let value = Arc::clone(&value);
            thread::spawn(move || {
                value.try_access_with(|value| value.touch());
                drop(value);
            })
        };
        assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        assert_eq!(drops.get(), 1);
        drop(value);
        owner.join().unwrap();
        assert_eq!(drops.get(), 1);
    });
}

/// Fails when weakened by `revocable-not-dropped`.
fn the_last_owner_drops_what_nobody_revoked<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let owner = {
            let value = Arc::clone(&value);
            thread::spawn(move || {
                value.try_access_with(|value| value.touch());
                drop(value);
            })
        };
        drop(value);
        owner.join().unwrap();
        assert_eq!(drops.get(), 1);
    });
}
