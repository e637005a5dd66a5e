//! A sleep is polled while it expires: the task is woken, or told at once. Also what the other two models of sleeps share.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use driver_scope::{enter, Error};
use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::common::at;
use crate::platform::LoomPlatform;

/// A task: counts its wakes. Its wakers are counted by the `Arc`. (That of the standard library, whose ordering loom does not see: so there is no
/// memory to check in it. What a waker consists of is checked where it is stored.)
pub struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Task {
    pub fn new() -> Arc<Self> {
        Arc::new(Task(AtomicUsize::new(0)))
    }

    pub fn wakes(&self) -> usize {
        self.0.load(SeqCst)
    }

    /// How many wakers there are.
    pub fn wakers(self: &Arc<Self>) -> usize {
        Arc::strong_count(self) - 1
    }
}

pub fn poll<F: Future + Unpin>(future: &mut F, task: &Arc<Task>) -> Poll<F::Output> {
    let waker = Waker::from(Arc::clone(task));
    Pin::new(future).poll(&mut Context::from_waker(&waker))
}

/// The first poll stores the waker and starts the timer; an expiry at any moment of that, or after it, is not lost.
#[test]
fn the_first_poll_is_woken() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let sleeper = scope.sleeper(1)?;
                let mut sleep = sleeper.sleep_until(at(1));
                let expirer = platform.spawn_expire(at(1));
                let task = Task::new();
                let polled = poll(&mut sleep, &task);
                expirer.join().unwrap();
                // What was started after the expirer's look: the clock has come to the instant, and so a platform would.
                platform.expire(at(1));
                assert!(polled.is_ready() || task.wakes() > 0);
                assert_eq!(poll(&mut sleep, &task), Poll::Ready(Ok(())));
                Ok::<_, Error>(())
            })
            .unwrap();
        });
    });
}

/// A later poll comes from another task: that one is woken or told, not only the one before.
///
/// Fails when weakened by `sleep-no-second-look`, `waker-taken-early`, `waker-busy-acquire`, `waker-back-release`, `waker-take-acquire`,
/// `waker-taken-release`.
#[test]
fn the_last_task_is_woken() {
    loom::model(|| {
        let platform = LoomPlatform::new();
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let sleeper = scope.sleeper(1)?;
                let mut sleep = sleeper.sleep_until(at(1));
                let (first, last) = (Task::new(), Task::new());
                assert_eq!(poll(&mut sleep, &first), Poll::Pending);
                let expirer = platform.spawn_expire(at(1));
                let polled = poll(&mut sleep, &last);
                expirer.join().unwrap();
                assert!(polled.is_ready() || last.wakes() > 0);
                assert_eq!(poll(&mut sleep, &last), Poll::Ready(Ok(())));
                Ok::<_, Error>(())
            })
            .unwrap();
        });
    });
}
