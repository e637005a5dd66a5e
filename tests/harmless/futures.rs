//! Futures and wakers that are polled, woken and leaked where they should not be.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};

use super::*;
use driver_scope::Sleep;

/// Polls a sleep when it is dropped, and logs the answer.
struct PollsLate<'drv, P: TestPlatform>(Sleep<'drv, Metered<P>>, Log);
impl<P: TestPlatform> Drop for PollsLate<'_, P> {
    fn drop(&mut self) {
        let polled = Pin::new(&mut self.0).poll(&mut Context::from_waker(Waker::noop()));
        self.1.add(format!("{polled:?}"));
    }
}

pub fn a_destructor_polls_a_sleep<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    run_on(&platform, |scope| {
        let sleeper = scope.sleeper(2)?;
        // One that has a place and one that was never polled, dropped with what a callback has captured.
        let mut pending = sleeper.sleep(1.secs());
        let polled = Pin::new(&mut pending).poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, Poll::Pending);
        for sleep in [pending, sleeper.sleep(2.secs())] {
            let late = PollsLate(sleep, log.clone());
            scope.hrtimer(move |_| {
                let _ = &late;
                Restart::No
            })?;
        }
        Ok(())
    });
    assert_eq!(log.count("Ready(Err(Closed))"), 2);
}

/// Starts a timer, if that is still there, whenever it is woken.
struct Starts<P: TestPlatform> {
    timer: Devres<HrTimer<'static, Metered<P>>, Metered<P>>,
    woken: AtomicU32,
}
impl<P: TestPlatform> Wake for Starts<P> {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, SeqCst);
        let _ = self.timer.try_access_with(|timer| timer.start(0.nanos()));
    }
}

pub fn a_waker_starts_a_timer<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let count = Count::default();
    let mut waker = None;
    platform.lend_sleep(|cx| {
        enter(platform.clone(), cx, &(), |(), scope| {
            let timer = ticking(scope, &count)?;
            let starts = Arc::new(Starts::<P> {
                timer: scope.devres::<HrTimer<'static, _>>(timer)?.devres(),
                woken: AtomicU32::new(0),
            });
            // Pending when the scope closes, which wakes it.
            let mut sleep = scope.sleeper(1)?.sleep(1.secs());
            let woken_by = Waker::from(starts.clone());
            let polled = Pin::new(&mut sleep).poll(&mut Context::from_waker(&woken_by));
            assert_eq!(polled, Poll::Pending);
            std::mem::forget(sleep);
            waker = Some((woken_by, starts));
            Ok::<(), Error>(())
        })
        .unwrap();
    });
    let (waker, starts) = waker.unwrap();
    assert_eq!(starts.woken.load(SeqCst), 1);
    waker.wake_by_ref();
    assert_eq!(starts.woken.load(SeqCst), 2);
    assert_still(&platform, &count);
    drop((waker, starts));
    platform.assert_at_rest();
}

pub fn a_future_moves_between_threads_and_is_leaked<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    run_on(&platform, |scope| {
        let sleeper = scope.sleeper(1)?;
        let note = log.note("in the future");
        let mut future: Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> =
            Box::pin(async move {
                let _note = note;
                sleeper.sleep(1.secs()).await
            });
        let mut poll = || {
            let polled = future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
        };
        std::thread::scope(|threads| threads.spawn(&mut poll).join().expect("no panic"));
        poll();
        // With its place, and what it holds: that is lost, for it was given away.
        leaked_on_purpose(future);
        Ok(())
    });
    assert_eq!(log.count("drop in the future"), 0);
}
