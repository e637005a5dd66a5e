//! A sleep is dropped while it expires, and the next one has its place while the callback may still be running.

use std::task::Poll;

use driver_scope::{enter, Error};

use crate::common::at;
use crate::platform::LoomPlatform;
use crate::sleep_against_expiry::{poll, Task};

/// Every waker is gone when the sleep is, or when the callback is; and it goes once.
///
/// Fails when weakened by `sleep-drop-keeps-waker`.
#[test]
fn a_dropped_sleep_leaves_no_waker() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let sleeper = scope.sleeper(1)?;
                let mut sleep = sleeper.sleep_until(at(1));
                let task = Task::new();
                assert_eq!(poll(&mut sleep, &task), Poll::Pending);
                let expirer = platform.spawn_expire(at(1));
                drop(sleep);
                expirer.join().unwrap();
                assert_eq!(task.wakers(), 0);
                Ok::<_, Error>(())
            })
            .unwrap();
        });
    });
}

/// The next sleep in the place neither ends by the last one's expiry nor misses its own.
///
/// Fails when weakened by `waker-wake-while-busy`, `waker-register-while-taken`.
#[test]
fn the_next_sleep_has_the_place_to_itself() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let sleeper = scope.sleeper(1)?;
                let (first, next) = (Task::new(), Task::new());
                let mut sleep = sleeper.sleep_until(at(1));
                assert_eq!(poll(&mut sleep, &first), Poll::Pending);
                let expirer = platform.spawn_expire(at(1));
                drop(sleep);
                let mut sleep = sleeper.sleep_until(at(2));
                assert_eq!(poll(&mut sleep, &next), Poll::Pending);
                expirer.join().unwrap();
                // As an executor: polled again if it was woken, which may have been for nothing.
                if next.wakes() > 0 {
                    assert_eq!(poll(&mut sleep, &next), Poll::Pending);
                }
                let before = next.wakes();
                platform.expire(at(2));
                assert_eq!(next.wakes(), before + 1);
                assert_eq!(poll(&mut sleep, &next), Poll::Ready(Ok(())));
                Ok::<_, Error>(())
            })
            .unwrap();
        });
    });
}
