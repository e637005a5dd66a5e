//! The ends of asynchronous runtimes' timers: a task for each, that waits for its timer and has what a callback would use.

use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::kinds::{self, timed, Token};

const FAR: Duration = Duration::from_secs(3600);

fn runtime() -> Runtime {
    let made = Builder::new_current_thread().enable_time().build();
    made.expect("a runtime without I/O can be made")
}

/// So that the tasks have begun, and their timers are armed.
async fn others_run() {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

/// Aborted, and waited for.
pub fn join_set(count: usize) -> u64 {
    runtime().block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let token = Token::new();
            tasks.spawn(async move {
                tokio::time::sleep(FAR).await;
                token.hold();
            });
        }
        others_run().await;
        timed_async(count, tasks.shutdown()).await
    })
}

/// Told to end, and waited for.
pub fn token(count: usize) -> u64 {
    runtime().block_on(async {
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        for _ in 0..count {
            let (token, stop) = (Token::new(), stop.clone());
            tracker.spawn(async move {
                stop.run_until_cancelled(tokio::time::sleep(FAR)).await;
                token.hold();
            });
        }
        others_run().await;
        let end = async {
            stop.cancel();
            tracker.close();
            tracker.wait().await;
        };
        timed_async(count, end).await
    })
}

async fn timed_async(count: usize, end: impl Future<Output = ()>) -> u64 {
    // The clock is read where the future is polled first, and where it is ready.
    let mut begin = None;
    let mut end = std::pin::pin!(end);
    poll_fn(|cx| {
        let begin = *begin.get_or_insert_with(|| kinds::begin(count));
        match end.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(kinds::end(begin)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Timers that call nobody: registered with the reactor, and dropped.
pub fn async_io(count: usize) -> u64 {
    let mut all: Vec<(async_io::Timer, Token)> = (0..count)
        .map(|_| (async_io::Timer::after(FAR), Token::new()))
        .collect();
    async_io::block_on(poll_fn(|cx| {
        for (timer, _) in &mut all {
            assert!(Pin::new(timer).poll(cx).is_pending());
        }
        Poll::Ready(())
    }));
    timed(count, || drop(all)).0
}
