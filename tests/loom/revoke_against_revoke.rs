//! Two revoke one value: one of them drops it, and neither returns before that.

use std::time::Duration;

use driver_scope::{Error, Revocable};
use loom::sync::Arc;
use loom::thread;

use crate::common::{bounded, Drops, Plain};
use crate::platform::LoomPlatform;
use crate::readers::{with_each_strategy, LoomSections};

with_each_strategy!(
    one_drops_the_value_and_both_return_after_it,
    both_wait_for_a_reader,
    one_that_gives_up_leaves_it_to_the_other,
);

/// The drop is seen by the one who has not done it.
///
/// Fails when weakened by `revocable-revoke-acquire`, `revocable-gone-release`, `revocable-two-revokers`,
/// `revocable-dropped-twice`.
fn one_drops_the_value_and_both_return_after_it<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let revoke = move |platform: &LoomPlatform<S>, value: &Revocable<_, _>, drops: &Drops| {
            let first = platform
                .may_sleep(|cx| value.revoke(cx))
                .expect("no reader");
            assert_eq!(drops.get(), 1);
            first
        };
        let other = {
            let (platform, value) = (platform.clone(), Arc::clone(&value));
            let drops = drops.clone();
            thread::spawn(move || revoke(&platform, &value, &drops))
        };
        let here = revoke(&platform, &value, &drops);
        assert_ne!(here, other.join().unwrap());
    });
}

/// The one who comes second waits for the first one's readers.
///
/// Fails when weakened by `slots-wait-first-note-only`, `counted-refused-not-taken-back`, `revocable-revoke-acquire`,
/// `revocable-gone-release`, `revocable-closed-late`, `revocable-loser-returns`.
fn both_wait_for_a_reader<S: LoomSections>() {
    // Two threads that wait and a third do not finish unbounded: they let each other go on, in turn.
    bounded(2, || {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        let reader = {
            let value = Arc::clone(&value);
            thread::spawn(move || {
                value.try_access_with(|value| value.touch());
            })
        };
        let other = {
            let (platform, value) = (platform.clone(), Arc::clone(&value));
            let drops = drops.clone();
            thread::spawn(move || {
                let first = platform.may_sleep(|cx| value.revoke(cx));
                assert_eq!(drops.get(), 1);
                first
            })
        };
        let here = platform.may_sleep(|cx| value.revoke(cx));
        assert_eq!(drops.get(), 1);
        assert_eq!(here.map(|first| !first), other.join().unwrap());
        reader.join().unwrap();
    });
}

/// It has refused access, and no more: the other one waits for the reader and drops the value.
///
/// Fails when weakened by `slots-enter-unchecked`, `revocable-given-up-kept`, `revocable-not-closed`, `revocable-no-wait`,
/// `revocable-loser-returns`, `revocable-two-revokers`.
fn one_that_gives_up_leaves_it_to_the_other<S: LoomSections>() {
    // As above.
    bounded(4, || {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let value = Arc::new(Revocable::new(platform.clone(), drops.resource()));
        // What the hasty one did before it gave up is seen by who revokes after it.
        let before = Arc::new(Plain::new(0));
        let reader = {
            let value = Arc::clone(&value);
            thread::spawn(move || {
                value.try_access_with(|value| value.touch());
            })
        };
        let hasty = {
            let (platform, value) = (platform.clone(), Arc::clone(&value));
            let before = Arc::clone(&before);
            thread::spawn(move || {
                before.set(1);
                platform.may_sleep(|cx| value.revoke_within(cx, Duration::ZERO))
            })
        };
        let patient = platform
            .may_sleep(|cx| value.revoke(cx))
            .expect("the reader leaves");
        assert_eq!(drops.get(), 1);
        match hasty.join().unwrap() {
            Ok(first) => assert_ne!(first, patient),
            Err(error) => assert_eq!((error, patient), (Error::TimedOut, true)),
        }
        reader.join().unwrap();
    });
}
