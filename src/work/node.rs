//! Work as it lies in the scope's memory: a timer whose callback may sleep.

use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};
use core::time::Duration;

use crate::context::MaySleep;
use crate::error::Error;
use crate::event::{Kind, Name, Outcome};
use crate::inspect::Details;
use crate::platform::{Arm, Platform};
use crate::scope::inner::Core;
use crate::scope::registry::Registration;
use crate::scope::DriverScope;
use crate::sync::{Lock, UnsafeCell};
use crate::time::Instant;
use crate::timer::node::{self, TimerNode};
use crate::timer::{Restart, TimerMode};
use crate::work::WorkContext;

pub(crate) struct WorkNode<P: Platform> {
    timer: TimerNode<P>,
    /// Held to queue it, so that whoever does can tell whether it was he.
    queueing: UnsafeCell<ManuallyDrop<Lock<(), P>>>,
}

// SAFETY: the timer is both; so is the lock, which is only written to when it is dropped, in the release. [SHARED]
unsafe impl<P: Platform> Send for WorkNode<P> {}
// SAFETY: as above. [SHARED]
unsafe impl<P: Platform> Sync for WorkNode<P> {}

impl<P: Platform> WorkNode<P> {
    /// Makes work without a callback, owned by the scope.
    pub(crate) fn register<'drv>(
        scope: &DriverScope<'drv, P>,
        name: Name,
    ) -> Result<&'drv Self, Error> {
        let init = |place: NonNull<Self>| {
            // SAFETY: `place` is memory for a node, which stays where it is, and ours alone until the registration is published. Nothing is left behind
            // by a timer that cannot be made. [ARENA]
            unsafe {
                let timer = NonNull::new_unchecked(ptr::addr_of_mut!((*place.as_ptr()).timer));
                TimerNode::init(timer, scope, name, TimerMode::work())?;
                let lock = UnsafeCell::new(ManuallyDrop::new(Lock::new(())));
                ptr::addr_of_mut!((*place.as_ptr()).queueing).write(lock);
            }
            Ok(())
        };
        let undo = |place: NonNull<Self>| {
            // SAFETY: `init` initialised the node, which nobody else has seen. [LISTED]
            unsafe {
                place.as_ref().timer.shut_unseen(scope);
                Registration::<P>::release(place.as_ref());
            }
        };
        // SAFETY: as the two closures say. [LISTED]
        let place = unsafe { scope.register(name, init, undo)? };
        // SAFETY: the scope's memory, valid until after `'drv`; from here on there are shared references only. [STAYS]
        Ok(unsafe { place.as_ref() })
    }

    pub(super) fn timer(&self) -> &TimerNode<P> {
        &self.timer
    }

    /// Queues it for `delay` from now. Says whether it was not pending.
    pub(super) fn queue_after(&self, delay: Duration, how: Arm) -> Result<bool, Error> {
        let at = self.timer.now().checked_add(delay);
        self.queue_at(at.ok_or(Error::TimeOverflow)?, how)
    }

    fn queue_at(&self, at: Instant, how: Arm) -> Result<bool, Error> {
        // SAFETY: not released while a handle exists, or the callback that asks for more. [LISTED, STAYS]
        let lock = self.queueing.with(|lock| unsafe { &*lock });
        // Whoever queues it, does it here: so what is found is so until it is armed below, but that it may be called, or cancelled, meanwhile.
        let _queueing = lock.lock();
        let was_pending = self.timer.state().armed;
        if !was_pending || how == Arm::Replace {
            self.timer.arm(at, how)?;
        }
        Ok(!was_pending)
    }
}

/// Puts a closure into the scope's memory and makes it the work's callback.
///
/// # Safety
/// The node is registered in this scope, and this is called once per node.
pub(super) unsafe fn set_callback<'drv, P, F>(
    scope: &DriverScope<'drv, P>,
    node: &'drv WorkNode<P>,
    mut callback: F,
) -> Result<(), Error>
where
    P: Platform,
    F: FnMut(&mut WorkContext<'_, P>) -> Restart + Send + 'drv,
{
    let run = move |expiry: &mut crate::timer::TimerContext<'_, P>| {
        // SAFETY: this is called by the entry of a node that may sleep, where one may sleep (promise 5 of `Timers`); the token is lent to the callback for one
        // call, for any lifetime. [AWAKE, PROMISE]
        let cx = unsafe { MaySleep::assume() };
        let mut context = WorkContext::new(expiry.platform(), cx, expiry.expires());
        match callback(&mut context) {
            Restart::At(at) => {
                // As a timer does it, but by the one way to queue work. Refused only when the scope is closing, and then it is as it should be.
                let _ = node.queue_at(at, Arm::IfIdle);
                Restart::No
            }
            other => other,
        }
    };
    // SAFETY: the caller's promise. [CALLER]
    unsafe { node::set_callback(scope, NonNull::from(&node.timer), run) }
}

// SAFETY: that of the timer. [SHUT]
unsafe impl<P: Platform> Registration<P> for WorkNode<P> {
    const KIND: Kind = Kind::Work;

    fn shut(&self, core: &Core<P>, name: &Name, cx: MaySleep<'_>) -> Option<Outcome> {
        self.timer.shut(core, name, cx)
    }

    fn inspect(&self) -> Details {
        Registration::<P>::inspect(&self.timer)
    }

    unsafe fn destroy(&self) -> bool {
        // SAFETY: the caller's promise. [CALLER]
        unsafe { Registration::<P>::destroy(&self.timer) }
    }

    unsafe fn release(&self) -> bool {
        // SAFETY: the caller's promise; nobody queues it any more, and the lock is dropped this once. [PHASES, CALLER]
        unsafe {
            self.queueing
                .with_mut(|lock| ManuallyDrop::drop(&mut *lock));
            Registration::<P>::release(&self.timer)
        }
    }
}
