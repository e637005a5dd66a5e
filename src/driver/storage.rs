//! What a binding owns, in the platform's memory, with the driver's lifetime erased.
//!
//! **This is the one place where `'drv` is forgotten and brought back.** Everything that `'drv` stands for (the device, the
//! arena, the data) lies in one block that is reached by a raw pointer only, never through a `Box` or a `&mut`, and the
//! block is freed by `end` alone, after the teardown.

use core::alloc::Layout;
use core::any::{type_name, TypeId};
use core::mem::{self, ManuallyDrop, MaybeUninit};
use core::ptr::{self, NonNull};

use crate::context::MaySleep;
use crate::driver::Driver;
use crate::error::Error;
use crate::platform::Platform;
use crate::scope::gates::Gates;
use crate::scope::inner::Core;
use crate::scope::shared::Shared;
use crate::scope::teardown::{teardown, Body};
use crate::scope::DriverScope;
use crate::sync::{AtomicBool, Ordering, UnsafeCell};

pub(crate) struct Storage<D: Driver<P>, P: Platform> {
    core: Core<P>,
    device: ManuallyDrop<D::Device>,
    /// `Data<'drv>`, written as that and read as `Data<'some other>`; the layout of a type does not depend on lifetimes.
    data: UnsafeCell<MaybeUninit<D::Data<'static>>>,
    /// Whether there is data. Written before the storage is shared and after it no longer is.
    has_data: AtomicBool,
    deferred: UnsafeCell<MaybeUninit<P::Deferred>>,
}

/// A storage block: the owner of a binding's everything. Copied freely inside the crate; exactly one of the copies ends it.
pub(crate) struct Block<D: Driver<P>, P: Platform>(NonNull<Storage<D, P>>);

impl<D: Driver<P>, P: Platform> Clone for Block<D, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<D: Driver<P>, P: Platform> Copy for Block<D, P> {}

impl<D: Driver<P>, P: Platform> Block<D, P> {
    const LAYOUT: Layout = Layout::new::<Storage<D, P>>();

    /// A block with no data yet; gives platform and device back when there is no memory.
    pub(crate) fn new(platform: P, device: D::Device) -> Result<Self, D::Device> {
        let Some(memory) = platform.allocate(Self::LAYOUT) else {
            return Err(device);
        };
        let storage = memory.cast::<Storage<D, P>>();
        // SAFETY: the memory fits a `Storage` (its layout is not of size zero: it has a core) and is ours alone. [PROMISE]
        unsafe {
            storage.write(Storage {
                core: Core::new(
                    platform,
                    type_name::<D>(),
                    Some((TypeId::of::<D>(), memory.cast())),
                ),
                device: ManuallyDrop::new(device),
                data: UnsafeCell::new(MaybeUninit::uninit()),
                has_data: AtomicBool::new(false),
                deferred: UnsafeCell::new(MaybeUninit::uninit()),
            });
        }
        Ok(Block(storage))
    }

    /// The storage, for any lifetime the caller can answer for.
    ///
    /// # Safety
    /// The block is not ended while the reference is used.
    unsafe fn get<'s>(self) -> &'s Storage<D, P> {
        // SAFETY: initialised by `new`, only ever borrowed shared until `end`, not ended, says the caller. [STAYS, CALLER]
        unsafe { &*self.0.as_ptr() }
    }

    /// # Safety
    /// The block is not ended while the reference is used.
    pub(crate) unsafe fn platform<'s>(self) -> &'s P {
        // SAFETY: the caller's promise is the same. [CALLER]
        unsafe { &self.get().core.platform }
    }

    /// # Safety
    /// The block is not ended while the reference is used.
    pub(crate) unsafe fn device<'s>(self) -> &'s D::Device {
        // SAFETY: the caller's promise is the same. [CALLER]
        unsafe { &self.get().device }
    }

    /// # Safety
    /// The block is not ended while the reference is used.
    pub(crate) unsafe fn core<'s>(self) -> &'s Core<P> {
        // SAFETY: the caller's promise is the same. [CALLER]
        unsafe { &self.get().core }
    }

    /// Calls the driver's probe and keeps what it returns.
    ///
    /// # Safety
    /// The block is not ended, has no data, and is not shared yet. The caller may sleep.
    pub(crate) unsafe fn probe(self) -> Result<(), D::Error> {
        /// Generic in `'drv`, so that nothing in it can depend on what the lifetime is.
        ///
        /// # Safety
        /// As for `probe`.
        #[allow(clippy::extra_unused_lifetimes)] // It names the one lifetime of the body.
        unsafe fn probe_in<'drv, D: Driver<P>, P: Platform>(
            block: Block<D, P>,
        ) -> Result<(), D::Error> {
            // SAFETY: as for `probe`; and what is lent for `'drv` lasts until `end`, which nobody who holds a `'drv` can
            // outlive: handles are branded, callbacks are shut down before. [BRAND, STAYS, CALLER]
            let storage: &'drv Storage<D, P> = unsafe { block.get() };
            // SAFETY: likewise; `D::probe` is generic in `'drv`; the caller may sleep. [BRAND, AWAKE, CALLER]
            let scope = unsafe { DriverScope::<'drv, P>::new(NonNull::from(&storage.core)) };
            let data: D::Data<'drv> = D::probe(&storage.device, &scope)?;
            storage.data.with_mut(|slot| {
                // SAFETY: memory for a `Data`, ours alone. `Data<'drv>` and `Data<'static>` have one layout. [TYPED]
                unsafe { slot.cast::<D::Data<'drv>>().write(data) };
            });
            // Relaxed: the binding is handed to other threads by means that order this.
            storage.has_data.store(true, Ordering::Relaxed);
            storage.core.open_ports();
            Ok(())
        }
        // SAFETY: the same promise. [CALLER]
        unsafe { probe_in::<D, P>(self) }
    }

    /// The driver's data, for as short as the caller likes.
    ///
    /// # Safety
    /// The block is not ended while the reference is used, and it has data. The caller lends the reference only to code
    /// that is generic in both lifetimes.
    pub(crate) unsafe fn data<'a, 'drv>(self) -> &'a D::Data<'drv> {
        // SAFETY: the data was written as `Data<'some drv>`; the callee is generic in `'drv` and so cannot tell this one from
        // that one. It is only borrowed shared until it is destroyed in the teardown. [TYPED, CALLER]
        unsafe { self.get().data.with(|slot| &*slot.cast::<D::Data<'drv>>()) }
    }

    /// The scope, under a brand that the callee must be generic in.
    ///
    /// # Safety
    /// As for [`data`](Block::data); and the caller may sleep while the scope is lent.
    pub(crate) unsafe fn scope<'drv>(self) -> DriverScope<'drv, P> {
        // SAFETY: the core lasts as long as the block; the rest is the caller's promise. [CALLER]
        unsafe { DriverScope::new(NonNull::from(&self.get().core)) }
    }

    /// Tears the scope down and frees the block; gives the device back.
    ///
    /// A panic of the driver that nothing catches (no `std`) goes on after the teardown; the block's memory is freed all the
    /// same, and the device dropped.
    ///
    /// # Safety
    /// Called once; nobody uses the block any more.
    ///
    /// On no callback of this scope, or it waits for itself: a hang, not a matter of soundness.
    pub(crate) unsafe fn end(self, cx: MaySleep<'_>) -> D::Device {
        /// Frees the block when a panic passes through the teardown.
        struct Free<D: Driver<P>, P: Platform>(Block<D, P>);
        impl<D: Driver<P>, P: Platform> Drop for Free<D, P> {
            fn drop(&mut self) {
                // SAFETY: the teardown went on to its end before the panic came here, and `end` does not. [PHASES, ENDED]
                drop(unsafe { self.0.free() });
            }
        }

        let free = Free(self);
        // SAFETY: called once, with no other user: the caller's promise. [CALLER]
        unsafe {
            let storage: &Storage<D, P> = self.get();
            teardown(&storage.core, &OfDriver(self), cx);
        }
        // Before the block is freed, so that whatever `free` meets, the block is freed once.
        mem::forget(free);
        // SAFETY: the teardown is over; this is the one place that is reached now. [PHASES, ENDED]
        unsafe { self.free() }
    }

    /// Gives the memory back to the platform; what is left is the device.
    ///
    /// # Safety
    /// The teardown is over, nobody uses the block any more, and this is called once.
    unsafe fn free(self) -> D::Device {
        // SAFETY: alive until this call, says the caller. What the block owns is moved out, once, and then its memory goes back
        // to where `new` got it. The data was destroyed by the teardown. [CALLER]
        unsafe {
            let device = ManuallyDrop::into_inner(ptr::read(&self.0.as_ref().device));
            let platform = ptr::read(&self.0.as_ref().core.platform);
            platform.deallocate(self.0.cast(), Self::LAYOUT);
            device
        }
    }

    /// Has the platform call `run` with this block later, where one may sleep.
    ///
    /// # Safety
    /// Called once, instead of `end`; nobody else uses the block any more.
    pub(crate) unsafe fn defer(self, run: unsafe extern "C" fn(*mut ())) {
        // SAFETY: the block is alive until `run` ends it, and the platform does not touch the node once `run` is called. `run`
        // is sound on any thread, since a binding is `Send`. [STAYS, LAST, CALLER]
        unsafe {
            let storage: &Storage<D, P> = self.get();
            let node = storage.deferred.with_mut(|node| node.cast::<P::Deferred>());
            // A clone: `run` may have freed the block, and the platform in it, before `defer` returns (trap 14).
            let platform = storage.core.platform.clone();
            platform.defer(node, run, self.0.as_ptr().cast());
        }
    }

    /// The gates of this block's scope, for a port.
    ///
    /// # Safety
    /// The block is not ended meanwhile.
    pub(crate) unsafe fn gates_for_port(self) -> Result<Shared<Gates<P>, P>, Error> {
        // SAFETY: the caller's promise. [CALLER]
        let storage: &Storage<D, P> = unsafe { self.get() };
        storage.core.gates_for_port()
    }

    /// The block that a scope is in, if it is one of this driver.
    pub(crate) fn of_scope(scope: &DriverScope<'_, P>) -> Option<Self> {
        let (driver, storage) = scope.core().home?;
        // `new` put the storage there for a driver of this very type, so this is a block of this type.
        (driver == TypeId::of::<D>()).then(|| Block(storage.cast()))
    }

    /// The block that `run` was called with.
    ///
    /// # Safety
    /// `argument` is what `defer` gave to the platform for a block of this type.
    pub(crate) unsafe fn from_deferred(argument: *mut ()) -> Self {
        // SAFETY: `defer` passed a pointer that is not null. [CALLER]
        Block(unsafe { NonNull::new_unchecked(argument.cast()) })
    }
}

/// The part of a driver in its scope's teardown.
struct OfDriver<D: Driver<P>, P: Platform>(Block<D, P>);

impl<D: Driver<P>, P: Platform> Body for OfDriver<D, P> {
    fn remove(&self, cx: MaySleep<'_>) {
        // SAFETY: the teardown that calls this runs inside `end`, before the block is freed. [PHASES]
        let storage: &Storage<D, P> = unsafe { self.0.get() };
        if storage.has_data.load(Ordering::Relaxed) {
            // SAFETY: there is data, not yet destroyed; `remove` is generic in the lifetime. [PHASES, TYPED]
            D::remove(unsafe { self.0.data() }, cx);
        }
    }

    unsafe fn destroy_data(&self) -> bool {
        // SAFETY: as in `remove`. [PHASES]
        let storage: &Storage<D, P> = unsafe { self.0.get() };
        if !storage.has_data.swap(false, Ordering::Relaxed) {
            return false;
        }
        storage.data.with_mut(|slot| {
            // SAFETY: the data was written and is dropped this once. Nobody borrows it: only `&'a Data` was ever lent, for calls
            // that are over (the binding is ours alone by now). [PHASES, UNSEEN, TYPED]
            unsafe { (*slot).assume_init_drop() };
        });
        true
    }
}
