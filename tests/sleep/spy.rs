//! Wakers that are counted and can do things, and a thread as an executor.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread::{self, Thread};

/// What is done to a waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Clone,
    Wake,
    Drop,
}

type Hook<'a> = Arc<dyn Fn(Act) + Send + Sync + 'a>;

/// What the wakers of one task have in common.
#[derive(Default)]
pub struct Spy {
    wakes: AtomicUsize,
    clones: AtomicUsize,
    /// How many wakers there are.
    live: AtomicIsize,
    hook: Mutex<Option<Hook<'static>>>,
}

impl Spy {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A waker.
    pub fn waker(self: &Arc<Self>) -> Waker {
        self.live.fetch_add(1, SeqCst);
        let data = Arc::into_raw(Arc::clone(self)).cast();
        // SAFETY: the functions below keep the contract: each waker owns a count of the `Arc`.
        unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) }
    }

    pub fn wakes(&self) -> usize {
        self.wakes.load(SeqCst)
    }

    pub fn clones(&self) -> usize {
        self.clones.load(SeqCst)
    }

    pub fn live(&self) -> isize {
        self.live.load(SeqCst)
    }

    /// Has `hook` called at each act, until it is replaced by that of another or [`Spy::calm`].
    ///
    /// # Safety
    /// That happens before `'a` ends, or no waker of this spy is used after it.
    pub unsafe fn set_hook<'a>(&self, hook: impl Fn(Act) + Send + Sync + 'a) {
        let hook: Hook<'a> = Arc::new(hook);
        // SAFETY: another lifetime of the same type; the caller's promise.
        let hook = unsafe { std::mem::transmute::<Hook<'a>, Hook<'static>>(hook) };
        *self.hook.lock().unwrap() = Some(hook);
    }

    /// No more hook.
    pub fn calm(&self) {
        let hook = self.hook.lock().unwrap().take();
        drop(hook);
    }

    fn act(&self, act: Act) {
        // Not under the lock: a hook may come back here.
        let hook = self.hook.lock().unwrap().clone();
        if let Some(hook) = hook {
            hook(act);
        }
    }

    /// Borrows the spy of a waker.
    ///
    /// # Safety
    /// `data` is a waker's.
    unsafe fn of<'a>(data: *const ()) -> &'a Spy {
        // SAFETY: the waker has a count of the `Arc`.
        unsafe { &*data.cast::<Spy>() }
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // SAFETY: (in all four) `data` is a waker's, and comes from `Arc::into_raw`.
        let spy = unsafe { Spy::of(data) };
        spy.clones.fetch_add(1, SeqCst);
        spy.act(Act::Clone);
        spy.live.fetch_add(1, SeqCst);
        // SAFETY: as above; the clone gets a count of its own.
        unsafe { Arc::increment_strong_count(data.cast::<Spy>()) };
        RawWaker::new(data, &VTABLE)
    },
    |data| {
        // SAFETY: as above; by value, so its count is ours.
        let spy = unsafe { Arc::from_raw(data.cast::<Spy>()) };
        spy.wakes.fetch_add(1, SeqCst);
        spy.live.fetch_sub(1, SeqCst);
        spy.act(Act::Wake);
    },
    |data| {
        // SAFETY: as above.
        let spy = unsafe { Spy::of(data) };
        spy.wakes.fetch_add(1, SeqCst);
        spy.act(Act::Wake);
    },
    |data| {
        // SAFETY: as above; its count goes here.
        let spy = unsafe { Arc::from_raw(data.cast::<Spy>()) };
        spy.live.fetch_sub(1, SeqCst);
        spy.act(Act::Drop);
    },
);

/// Polls once, as the task of this spy. The waker is dropped afterwards.
pub fn poll<F: Future + Unpin>(future: &mut F, spy: &Arc<Spy>) -> Poll<F::Output> {
    poll_with(future, &spy.waker())
}

/// Polls once.
pub fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
