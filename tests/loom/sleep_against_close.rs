//! The scope closes while another context polls a sleep, or while one expires: a pending sleep is woken by one of the two, and finds `Closed`.
//!
//! What can poll at that time is a callback, a port call, or (here) a callback on another thread.

use std::sync::Arc;
use std::task::Poll;

use driver_scope::{enter, Error, Restart};
use loom::sync::Mutex;

use crate::common::at;
use crate::platform::LoomPlatform;
use crate::sleep_against_expiry::{poll, Task};

/// A callback makes the sleep's first poll while the teardown closes: it is told, or woken. It is then forgotten, and its waker goes with the scope.
///
/// Fails when weakened by `sleep-no-second-look`, `sleep-close-wakes-nobody`, `sleep-close-before-mark`, `waker-taken-unseen`.
#[test]
fn a_first_poll_is_woken_by_the_close() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        let told = Arc::new(Mutex::new(None));
        let task = Task::new();
        let (polling, tell) = (Arc::clone(&task), Arc::clone(&told));
        let expirer = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), move |(), scope| {
                let sleeper = scope.sleeper(1)?;
                let timer = scope.hrtimer(move |_| {
                    let mut sleep = sleeper.sleep_until(at(9));
                    let mut polled = poll(&mut sleep, &polling);
                    if polled.is_pending() && polling.wakes() > 0 {
                        polled = poll(&mut sleep, &polling);
                        assert!(polled.is_ready(), "woken for nothing");
                    }
                    *tell.lock().unwrap() = Some(polled);
                    std::mem::forget(sleep);
                    Restart::No
                })?;
                timer.start_at(at(1))?;
                Ok::<_, Error>(scope.platform().spawn_expire(at(1)))
            })
            .unwrap()
        });
        // The scope is over.
        let told = told.lock().unwrap().take();
        match told {
            None => {}
            Some(Poll::Pending) => assert_eq!(task.wakes(), 1),
            Some(Poll::Ready(result)) => assert_eq!(result, Err(Error::Closed)),
        }
        assert_eq!(task.wakers(), 0);
        expirer.join().unwrap();
    });
}

/// A sleep that was forgotten expires while the scope closes: it is woken once.
///
/// Fails when weakened by `sleep-close-wakes-nobody`.
#[test]
fn an_expiry_and_the_close_wake_once() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        let task = Task::new();
        let expirer = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let sleeper = scope.sleeper(1)?;
                let mut sleep = sleeper.sleep_until(at(1));
                assert_eq!(poll(&mut sleep, &task), Poll::Pending);
                std::mem::forget(sleep);
                Ok::<_, Error>(platform.spawn_expire(at(1)))
            })
            .unwrap()
        });
        assert_eq!(task.wakes(), 1);
        assert_eq!(task.wakers(), 0);
        expirer.join().unwrap();
    });
}
