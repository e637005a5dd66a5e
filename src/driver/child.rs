//! Child devices: drivers that are bound by another one, and unbound before it.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::panic::Location;
use core::ptr::NonNull;

use crate::context::MaySleep;
use crate::driver::binding::{bind_block, cannot_wait};
use crate::driver::storage::Block;
use crate::driver::{BindError, Driver, Port};
use crate::error::Error;
use crate::event::{Kind, Name, Outcome};
use crate::inspect::Details;
use crate::platform::Platform;
use crate::scope::inner::Core;
use crate::scope::registry::{Node, Registration};
use crate::scope::DriverScope;
use crate::sections::Patience;
use crate::sync::{AtomicUsize, Ordering, UnsafeCell};
use crate::Invariant;

/// In `ending`: the child is bound.
const BOUND: usize = 0;
/// In `ending`: it has been unbound. Ids of contexts are even.
const GONE: usize = 1;

/// A child as it lies in its parent's memory. What the child itself is made of lies in a block of its own, as that of any binding.
struct ChildNode<D: Driver<P>, P: Platform> {
    /// The parent's.
    core: NonNull<Core<P>>,
    name: Name,
    /// The way in for handles. Its gates outlive the block, so a handle needs not know whether that is still there. Dropped by `release`.
    port: UnsafeCell<ManuallyDrop<Port<D, P>>>,
    /// For the one who unbinds the child, and nobody else.
    block: Block<D, P>,
    /// Who unbinds the child: BOUND, the id of a context, or GONE.
    ending: AtomicUsize,
}

/// What became of a [`ChildNode::end`].
enum End<T> {
    /// It has unbound the child, whose device this is.
    Unbound(T),
    /// Another context did it, and was waited for.
    WaitedFor,
    /// It had been done before.
    Gone,
}

impl<D: Driver<P>, P: Platform> ChildNode<D, P> {
    fn core(&self) -> &Core<P> {
        // SAFETY: the core outlives the scope's memory, in which this lies. [STAYS]
        unsafe { self.core.as_ref() }
    }

    fn port(&self) -> &Port<D, P> {
        // SAFETY: only `release` writes the cell, when nobody uses this any more. [PHASES]
        self.port.with(|port| unsafe { &**port })
    }

    /// Unbinds the child, or waits until another context has done so. Inside that very unbinding it waits for itself, which is a hang: nothing
    /// of the parent is destroyed before it has returned.
    fn end(&self, cx: MaySleep<'_>) -> End<D::Device> {
        /// Says that the child is gone, also when a panic goes through its teardown (no `std`): others may wait for that.
        struct Gone<'a>(&'a AtomicUsize);
        impl Drop for Gone<'_> {
            fn drop(&mut self) {
                // Release: pairs with the Acquire below.
                self.0.store(GONE, Ordering::Release);
            }
        }

        let me = self.core().platform.context().get();
        // Relaxed: the block was made before there was a handle or an entry on the list, and either got to this context by means that
        // order it. Acquire: what the other one has ended is over for this one, too.
        match self
            .ending
            .compare_exchange(BOUND, me, Ordering::Relaxed, Ordering::Acquire)
        {
            Ok(_) => {
                let _gone = Gone(&self.ending);
                // SAFETY: this context alone has found BOUND, once; handles and the list lead to the block by this function only. Calls by
                // ports are the teardown's business. [CLAIMED, ENDED]
                End::Unbound(unsafe { self.block.end(cx) })
            }
            Err(GONE) => End::Gone,
            Err(_) => {
                let core = self.core();
                let what = (core.driver, &self.name);
                let mut patience = Patience::new(&core.platform, cx, None, what);
                // Acquire: pairs with the Release above, so that whatever the child did comes before what the caller does next.
                while self.ending.load(Ordering::Acquire) != GONE {
                    patience.go_on();
                }
                End::WaitedFor
            }
        }
    }
}

// SAFETY: `shut` returns when the child's own teardown is over, whoever does that. [SHUT]
unsafe impl<D: Driver<P>, P: Platform> Registration<P> for ChildNode<D, P> {
    const KIND: Kind = Kind::Child;

    fn shut(&self, core: &Core<P>, name: &Name, cx: MaySleep<'_>) -> Option<Outcome> {
        match self.end(cx) {
            End::Unbound(device) => Some(match core.guarded(Some(name), || drop(device)) {
                Some(()) => Outcome::Unbound,
                None => Outcome::Panicked,
            }),
            End::WaitedFor => Some(Outcome::WaitedFor),
            End::Gone => None,
        }
    }

    fn inspect(&self) -> Details {
        // Relaxed: it tells, and nothing is done about it.
        match self.ending.load(Ordering::Relaxed) {
            GONE => Details::Unbound,
            _ => Details::Bound,
        }
    }

    unsafe fn release(&self) -> bool {
        // SAFETY: called once, when nobody uses the node any more. [PHASES]
        self.port
            .with_mut(|port| unsafe { ManuallyDrop::drop(&mut *port) });
        false
    }
}

/// A driver bound as a child of another, as the parent holds it: a copyable name for something that the parent's scope owns.
///
/// Made by [`DriverScope::child`]. Dropping, copying or forgetting it changes nothing; the child is unbound by [`unbind`](Child::unbind), or
/// else by its parent's teardown, before the parent's `remove` is called.
///
/// ```
/// use driver_scope::{platform::Sim, *};
///
/// /// A function of a card: all that it knows of the card is a way in.
/// struct Function;
/// impl<P: Platform> Driver<P> for Function {
///     type Device = Port<Card, P>;
///     type Data<'drv> = &'drv Port<Card, P>;
///     type Error = Error;
///     fn probe<'drv>(card: &'drv Port<Card, P>, _: &DriverScope<'drv, P>) -> Result<Self::Data<'drv>, Error> {
///         Ok(card)
///     }
///     fn remove(card: &Self::Data<'_>, _: MaySleep<'_>) {
///         assert!(card.call(|_| ()).is_ok()); // the card is still there
///     }
/// }
///
/// struct Card;
/// impl<P: Platform> Driver<P> for Card {
///     type Device = ();
///     type Data<'drv> = Child<'drv, Function, P>;
///     type Error = Error;
///     fn probe<'drv>(_: &'drv (), scope: &DriverScope<'drv, P>) -> Result<Self::Data<'drv>, Error> {
///         scope.named("function 0").child(scope.port::<Card>()?).map_err(|failed| failed.error)
///     }
/// }
///
/// let sim = Sim::new();
/// sim.may_sleep(|cx| {
///     let card = Binding::<Card, Sim>::bind(sim.clone(), (), cx).map_err(|failed| failed.error)?;
///     let function = card.with(|function| function.port());
///     assert_eq!(function.call(|card| card.call(|_| 7)), Ok(Ok(7)));
///     drop(card);
///     assert_eq!(function.call(|_| ()), Err(Error::Gone));
///     Ok::<(), Error>(())
/// })?;
/// # Ok::<(), Error>(())
/// ```
pub struct Child<'drv, D: Driver<P>, P: Platform> {
    node: NonNull<ChildNode<D, P>>,
    /// Covariant in `'drv`: a shorter name for the same child is harmless, since nothing that can be done with it leads to the scope.
    _scope: PhantomData<&'drv ()>,
    /// Invariant in both, as a port: types that are subtypes of each other may be different drivers.
    _driver: Invariant<(D, P)>,
}

impl<D: Driver<P>, P: Platform> Clone for Child<'_, D, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<D: Driver<P>, P: Platform> Copy for Child<'_, D, P> {}

// SAFETY: a handle can enter the child, as a port can, which is `Send + Sync`; and unbind it on any thread, as a binding can, which
// is both, too: one context does it, and the others are told apart by an atomic. [SHARED]
unsafe impl<D: Driver<P>, P: Platform> Send for Child<'_, D, P> {}
// SAFETY: as above. [SHARED]
unsafe impl<D: Driver<P>, P: Platform> Sync for Child<'_, D, P> {}

impl<'drv, P: Platform> DriverScope<'drv, P> {
    /// Binds a driver as a child of this one: calls its `probe`, on the same platform. The child has a scope of its own, which ends before this one's
    /// hooks run: newest child first, each whole, with its own children. Until then, and in its `remove`, the child can call its
    /// parent by a [`Port`] that it was given with its device.
    ///
    /// Context: may sleep.
    ///
    /// # What a child has of its parent
    /// Driver and device are `'static`, so no handle of this scope gets into a child: what the two share is in a [`Port`] to the parent, a
    /// [`Devres`](crate::Devres) of it, or an `Arc`. The port's calls are refused until the parent's `probe` has returned, so what a child must ask of its parent
    /// in its own `probe` it gets with its device, or the child is made later, in [`Binding::with_scope`](crate::Binding::with_scope).
    ///
    /// # Deadlocks
    /// The parent's `remove`, its hooks, and the end of its [sleeps](crate::Sleeper) come after all children are gone. So what a call or a callback of
    /// a child waits for in its parent, the *child's* `remove` must bring to an end.
    ///
    /// In [`enter`](crate::enter), do not end the scope inside a [`ReadSection`](crate::ReadSection): the end of a child waits for that.
    ///
    /// # Errors
    /// What the child's `probe` returned; or, in its own type, [`Error::NoMemory`], [`Error::Closed`], or [`Error::Deadlock`] inside a
    /// [`ReadSection`](crate::ReadSection). With the device, which is unbound again; this scope is as before.
    ///
    /// # Panics
    /// If the child's `probe` panics, its scope is torn down, its device dropped, and the panic goes on.
    #[track_caller]
    pub fn child<D: Driver<P>>(
        &self,
        device: D::Device,
    ) -> Result<Child<'drv, D, P>, BindError<D::Error, D::Device>> {
        let name = self.next_name(Location::caller());
        let core = self.core();
        let slot = match core.reserve_node::<ChildNode<D, P>>() {
            Ok(slot) => slot,
            Err(error) => {
                let error = error.into();
                return Err(BindError { error, device });
            }
        };
        let platform = self.platform().clone();
        let (block, port) = bind_block(platform, device, self.may_sleep(), |block| {
            // SAFETY: the block is not ended before `bind_block` returns. [ENDED]
            Ok(Port::new(unsafe { block.gates_for_port() }?, block))
        })?;
        let node: NonNull<ChildNode<D, P>> = Node::init(slot, name);
        // SAFETY: `node` is the reserved place for it. [ARENA]
        unsafe {
            node.write(ChildNode {
                core: NonNull::from(core),
                name,
                port: UnsafeCell::new(ManuallyDrop::new(port)),
                block,
                ending: AtomicUsize::new(BOUND),
            });
        }
        // SAFETY: just initialised, entry and item, and in no list. [LISTED]
        if unsafe { core.children.push(slot.cast()) }.is_err() {
            // SAFETY: refused, so still ours alone: released once, and the block is ended once. [LISTED, ENDED]
            let device = unsafe {
                node.as_ref().release();
                block.end(self.may_sleep())
            };
            let error = Error::Closed.into();
            return Err(BindError { error, device });
        }
        Ok(Child {
            node,
            _scope: PhantomData,
            _driver: PhantomData,
        })
    }
}

impl<D: Driver<P>, P: Platform> Child<'_, D, P> {
    fn node(&self) -> &ChildNode<D, P> {
        // SAFETY: the node lives until the parent's memory is freed, after `'drv`, which this handle cannot outlive. [STAYS, BRAND]
        unsafe { self.node.as_ref() }
    }

    /// Calls the child: lends its data to `f`. As [`Port::call`], with the same check.
    ///
    /// # Errors
    /// [`Error::Gone`] when the child's remove has begun.
    #[inline]
    pub fn call<R>(self, f: impl for<'a, 'c> FnOnce(&'a D::Data<'c>) -> R) -> Result<R, Error> {
        self.node().port().call(f)
    }

    /// A way in for the rest of the world, which may outlive the child.
    #[must_use]
    pub fn port(self) -> Port<D, P> {
        self.node().port().clone()
    }

    /// Whether the child is bound: its remove has not begun. A moment later it may be otherwise.
    #[must_use]
    pub fn is_bound(self) -> bool {
        self.node().port().is_open()
    }

    /// What the child is called in reports.
    #[must_use]
    pub fn name(self) -> Name {
        self.node().name
    }

    /// Removes the child's driver, before its parent's end, and gives its device back.
    ///
    /// Context: may sleep; waits for every callback of the child that is running, and for calls by its ports.
    ///
    /// # Errors
    /// - [`Error::Deadlock`] inside a callback, a port call or a read section, of any scope, as [`Binding::unbind`](crate::Binding::unbind): nothing was done.
    ///   (A guard that was forgotten counts.)
    /// - [`Error::Gone`] if it has been unbound; if another context is at it, that was waited for.
    pub fn unbind(self, cx: MaySleep<'_>) -> Result<D::Device, Error> {
        let node = self.node();
        let platform = &node.core().platform;
        // Relaxed: only this very context could have stored its own id, and could not have missed it.
        let inside = node.ending.load(Ordering::Relaxed) == platform.context().get();
        if inside || cannot_wait(platform) {
            return Err(Error::Deadlock);
        }
        match node.end(cx) {
            End::Unbound(device) => Ok(device),
            End::WaitedFor | End::Gone => Err(Error::Gone),
        }
    }
}

impl<D: Driver<P>, P: Platform> fmt::Debug for Child<'_, D, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("driver", &core::any::type_name::<D>())
            .field("name", &self.name())
            .field("bound", &self.is_bound())
            .finish()
    }
}

#[cfg(all(test, feature = "std", not(loom)))]
mod tests {
    use super::*;
    use crate::platform::Sim;
    use crate::scope::teardown::{teardown, NoBody};

    struct Number;

    impl Driver<Sim> for Number {
        type Device = u32;
        type Data<'drv> = &'drv u32;
        type Error = Error;
        fn probe<'drv>(number: &'drv u32, _: &DriverScope<'drv, Sim>) -> Result<&'drv u32, Error> {
            Ok(number)
        }
    }

    /// No safe code has a scope whose teardown has begun.
    #[test]
    fn a_closed_scope_takes_no_child() {
        let sim = Sim::new();
        let core = Core::new(sim.clone(), "test", None);
        // SAFETY: the core outlives the scope, and its memory is given back by the teardown below, when nothing of it is used any more.
        let scope = unsafe { DriverScope::new(NonNull::from(&core)) };
        assert!(scope.child::<Number>(6).is_ok());
        let newest = core.children.close();
        let failed = scope.child::<Number>(7).expect_err("closed");
        assert_eq!((failed.error, failed.device), (Error::Closed, 7));
        sim.may_sleep(|cx| {
            // SAFETY: on the list that was closed, once; then nobody has a handle or a scope.
            unsafe {
                let first = NonNull::new(newest).expect("the first child");
                let ended = crate::scope::registry::Entry::shut(first, &core, cx);
                assert_eq!(ended, Some(Outcome::Unbound));
                crate::scope::registry::Entry::release(first);
                teardown(&core, &NoBody, cx);
            }
        });
    }
}
