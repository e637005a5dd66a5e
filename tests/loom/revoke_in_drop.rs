//! The drop of a value revokes the value: that would wait for itself, and says so.

use driver_scope::{Error, Revocable};
use loom::sync::Arc;
use loom::thread;

use crate::common::{Drops, Resource};
use crate::platform::LoomPlatform;
use crate::readers::{with_each_strategy, LoomSections};

with_each_strategy!(
    it_is_told_that_it_would_wait_for_itself,
    and_so_it_is_beside_another_revoker,
);

/// A value that revokes itself when it is dropped.
struct Nested<S: LoomSections> {
    resource: Resource,
    platform: LoomPlatform<S>,
    /// Where the value is, set before it is revoked.
    itself: std::sync::Mutex<Option<Value<S>>>,
}

type Value<S> = Arc<Revocable<Nested<S>, LoomPlatform<S>>>;

impl<S: LoomSections> Drop for Nested<S> {
    fn drop(&mut self) {
        self.resource.touch();
        let itself = self.itself.get_mut().expect("nothing panics under it");
        let itself = itself.take().expect("dropped by a revoke");
        let nested = self.platform.may_sleep(|cx| itself.revoke(cx));
        assert_eq!(nested, Err(Error::Deadlock));
    }
}

fn nested<S: LoomSections>(platform: &LoomPlatform<S>, drops: &Drops) -> Value<S> {
    let value = Arc::new(Revocable::new(
        platform.clone(),
        Nested {
            resource: drops.resource(),
            platform: platform.clone(),
            itself: std::sync::Mutex::new(None),
        },
    ));
    value.try_access_with(|inner| {
        *inner.itself.lock().expect("nothing panics under it") = Some(Arc::clone(&value));
    });
    value
}

/// While another thread reads.
///
/// Fails when weakened by `slots-enter-unchecked`, `counted-enter-unchecked`, `revocable-nested-unchecked`, `revocable-not-closed`,
/// `revocable-closed-late`, `revocable-no-wait`.
fn it_is_told_that_it_would_wait_for_itself<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let value = nested(&platform, &drops);
        let reader = {
            let value = Arc::clone(&value);
            thread::spawn(move || {
                value.try_access_with(|value| value.resource.touch());
            })
        };
        assert_eq!(platform.may_sleep(|cx| value.revoke(cx)), Ok(true));
        assert_eq!(drops.get(), 1);
        reader.join().unwrap();
    });
}

/// The other one waits for the drop and is told that it came second.
///
/// Fails when weakened by `revocable-revoke-acquire`, `revocable-gone-release`, `revocable-nested-unchecked`,
/// `revocable-loser-returns`, `revocable-two-revokers`, `revocable-dropped-twice`.
fn and_so_it_is_beside_another_revoker<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let value = nested(&platform, &drops);
        let other = {
            let (platform, value) = (platform.clone(), Arc::clone(&value));
            let drops = drops.clone();
            thread::spawn(move || {
                let first = platform
                    .may_sleep(|cx| value.revoke(cx))
                    .expect("no reader");
                assert_eq!(drops.get(), 1);
                first
            })
        };
        let here = platform
            .may_sleep(|cx| value.revoke(cx))
            .expect("no reader");
        assert_eq!(drops.get(), 1);
        assert_ne!(here, other.join().unwrap());
    });
}
