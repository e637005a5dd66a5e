//! The last touch of a node (trap 14): a teardown frees the memory as soon as it sees that no entry runs, so nothing may touch it after
//! that. Freed memory is poisoned, and the foreign node's drop is a write that races with every access that is not ordered before
//! it.

use driver_scope::{enter, Error, Restart};

use crate::common::{at, bounded};
use crate::foreign::ForeignPlatform;
use crate::platform::LoomPlatform;

/// The crate's queue notes in itself, not in the node, that an entry runs.
///
/// Fails when weakened by `teardown-no-shut`, `queue-shut-does-not-wait`, `queue-running-not-noted`,
/// `platform-finished-early`.
#[test]
fn a_queue_node_is_not_touched_after_its_entry() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        let expirer = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let timer = scope.hrtimer(|_| Restart::No)?;
                timer.start_at(at(0))?;
                Ok::<_, Error>(platform.spawn_expire(at(0)))
            })
            .unwrap()
        });
        expirer.join().unwrap();
    });
}

/// A C timer counts its calls in the timer itself: the count down is the last touch, and releases.
///
/// Fails when weakened by `teardown-no-shut`, `foreign-count-release`, `foreign-count-acquire`, `foreign-count-early`,
/// `foreign-counted-late`, `foreign-touch-after-count`, `foreign-wake-without-the-lock`.
#[test]
fn a_foreign_node_is_not_touched_after_its_count_is_zero() {
    loom::model(|| {
        let platform = ForeignPlatform::new();
        let expirer = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let timer = scope.hrtimer(|_| Restart::No)?;
                timer.start_at(at(0))?;
                Ok::<_, Error>(platform.spawn_expire(at(0), 1))
            })
            .unwrap()
        });
        expirer.join().unwrap();
    });
}

/// Two calls of one entry, of which one only leaves a note for the other: both are over before the node goes.
///
/// Fails when weakened by `teardown-no-shut`, `foreign-count-release`, `foreign-count-acquire`, `foreign-count-early`,
/// `foreign-counted-late`, `foreign-touch-after-count`, `foreign-wake-without-the-lock`.
#[test]
fn a_foreign_node_outlives_the_call_that_left_a_note() {
    // Three threads around one lock do not finish unbounded.
    bounded(3, || {
        let platform = ForeignPlatform::new();
        let expirers = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let timer = scope.hrtimer(|_| Restart::At(at(0)))?;
                timer.start_at(at(0))?;
                let first = platform.spawn_expire(at(0), 1);
                timer.start_at(at(0))?;
                Ok::<_, Error>([first, platform.spawn_expire(at(0), 1)])
            })
            .unwrap()
        });
        for expirer in expirers {
            expirer.join().unwrap();
        }
    });
}
