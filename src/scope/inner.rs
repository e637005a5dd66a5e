//! What is behind a scope: the platform, the memory, the lists. One per `Binding` or `enter`.

use core::any::TypeId;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::error::Error;
use crate::event::{Event, Name};
use crate::platform::unwind::catch;
use crate::platform::Platform;
use crate::scope::arena::Arena;
use crate::scope::gates::OwnGates;
use crate::scope::registry::{List, Node, Registration};
use crate::sync::{AtomicBool, Ordering};

pub(crate) struct Core<P: Platform> {
    pub(crate) platform: P,
    /// Whose scope this is, for events.
    pub(crate) driver: &'static str,
    pub(crate) arena: Arena,
    /// Everything but the hooks and the children.
    pub(crate) entries: List<P>,
    /// `on_remove` actions: run, and gone, before anything is closed.
    pub(crate) hooks: List<P>,
    /// Children: unbound, and gone, before the hooks run.
    pub(crate) children: List<P>,
    closing: AtomicBool,
    sleeps_ended: AtomicBool,
    /// Whether there is driver data, so that ports may lead to it.
    pub(crate) has_data: AtomicBool,
    pub(crate) gates: OwnGates<P>,
    /// The driver's type and its storage, for ports; nothing in `enter`.
    pub(crate) home: Option<(TypeId, NonNull<()>)>,
}

impl<P: Platform> Core<P> {
    pub(crate) fn new(
        platform: P,
        driver: &'static str,
        home: Option<(TypeId, NonNull<()>)>,
    ) -> Self {
        Core {
            platform,
            driver,
            arena: Arena::new(),
            entries: List::new(),
            hooks: List::new(),
            children: List::new(),
            closing: AtomicBool::new(false),
            sleeps_ended: AtomicBool::new(false),
            has_data: AtomicBool::new(false),
            gates: OwnGates::none(),
            home,
        }
    }

    /// Whether the scope has passed the point where arming is refused.
    ///
    /// An early, cheap answer, and not what soundness rests on: a start that misses the mark meets `Timers::shut`, which
    /// linearises against it.
    pub(crate) fn is_closing(&self) -> bool {
        // Relaxed: see above; nothing is published by the mark.
        self.closing.load(Ordering::Relaxed)
    }

    pub(crate) fn set_closing(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Whether sleeps end at once, with `Closed`.
    pub(crate) fn sleeps_have_ended(&self) -> bool {
        // Relaxed: a sleep looks after it has stored its waker, and the teardown takes wakers out after it has set this. If it does not find the
        // waker, its `take` came before the store, by the cell's order, and so did this mark.
        self.sleeps_ended.load(Ordering::Relaxed)
    }

    pub(crate) fn end_sleeps(&self) {
        // Relaxed: see above.
        self.sleeps_ended.store(true, Ordering::Relaxed);
    }

    /// Runs code of the driver; a panic is reported where it can be caught.
    pub(crate) fn guarded<R>(&self, name: Option<&Name>, f: impl FnOnce() -> R) -> Option<R> {
        match catch(f) {
            Ok(value) => Some(value),
            Err(_) => {
                self.platform.trace(&Event::Panicked {
                    driver: self.driver,
                    name,
                });
                None
            }
        }
    }

    /// Reserves a node. Nothing is registered yet; the memory is the scope's either way.
    pub(crate) fn reserve_node<R: Registration<P>>(
        &self,
    ) -> Result<NonNull<MaybeUninit<Node<P, R>>>, Error> {
        self.arena.reserve(&self.platform)
    }
}
