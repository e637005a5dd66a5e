use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::error::Error;
use crate::platform::Platform;
use crate::sleep::Sleep;

/// A future with a limit of time: see [`Sleeper::timeout`](crate::Sleeper::timeout).
#[must_use = "a future does nothing unless it is awaited"]
pub struct Timeout<'drv, P: Platform, F> {
    sleep: Sleep<'drv, P>,
    /// Pinned when the whole is.
    future: F,
    over: bool,
}

impl<'drv, P: Platform, F> Timeout<'drv, P, F> {
    pub(super) fn new(sleep: Sleep<'drv, P>, future: F) -> Self {
        Timeout {
            sleep,
            future,
            over: false,
        }
    }
}

impl<P: Platform, F: Future> Future for Timeout<'_, P, F> {
    type Output = Result<F::Output, Error>;

    /// # Panics
    /// When it is polled after its end, as most futures do: what it would repeat has been handed over.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out of it. `future` is pinned here, and so never moved by anything else: there is no other way to it, no `Drop` of the
        // whole, and the whole is `Unpin` only if `F` is (by the compiler's own rule). The other fields are not pinned (`Sleep` is `Unpin`). [PINNED]
        let (sleep, future, over) = unsafe {
            let this = self.get_unchecked_mut();
            (
                &mut this.sleep,
                Pin::new_unchecked(&mut this.future),
                &mut this.over,
            )
        };
        assert!(!*over, "a `Timeout` is polled after its end");
        let result = if let Poll::Ready(output) = future.poll(cx) {
            // The place is free for the next, even if the whole is kept.
            let _ = sleep.end(Ok(()));
            Ok(output)
        } else {
            match Pin::new(sleep).poll(cx) {
                Poll::Ready(Ok(())) => Err(Error::TimedOut),
                Poll::Ready(Err(error)) => Err(error),
                Poll::Pending => return Poll::Pending,
            }
        };
        *over = true;
        Poll::Ready(result)
    }
}

impl<P: Platform, F> fmt::Debug for Timeout<'_, P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timeout").field(&self.sleep).finish()
    }
}
