use core::fmt;
use core::marker::PhantomData;
use core::mem;

use crate::context::MaySleep;
use crate::driver::storage::Block;
use crate::driver::{Driver, Port};
use crate::error::Error;
use crate::inspect::{visit, Inspected, Table};
use crate::platform::Platform;
use crate::scope::DriverScope;
use crate::sections::{Gate, Sections};

/// A driver bound to a device. It owns both, and everything that the driver registered.
///
/// Dropping it removes the driver, in the phases that [`DriverScope`] lists. Dropped inside a callback, a port call or a read section, of
/// whatever scope, it hands itself to the platform to be removed later ([`Platform::defer`]): a teardown there could wait for itself. Deferred removals run one
/// after the other; one that is still due when the process exits does not run.
///
/// Leaking it leaves the device bound and its activities running. That is sound: all they use is leaked with it.
pub struct Binding<D: Driver<P>, P: Platform> {
    block: Block<D, P>,
    _owns: PhantomData<(D::Device, P)>,
}

// SAFETY: a binding owns a platform and a device (`Send + Sync`), data (`Send + Sync` for every lifetime), captured values of
// callbacks and actions (`Send`; used by one context at a time, dropped by the teardown) and owned values (`Send + Sync`). All
// of that may be ended from another thread than the one that made it. Allocated values may be neither `Send` nor `Sync`, but they are not
// dropped, and what reaches them (data, captures) is. [SHARED, UNSEEN]
unsafe impl<D: Driver<P>, P: Platform> Send for Binding<D, P> {}
// SAFETY: shared access lends `&Data` and `&Device` (both `Sync`) and makes scopes, whose registration is atomic. [SHARED, LISTED]
unsafe impl<D: Driver<P>, P: Platform> Sync for Binding<D, P> {}

impl<D: Driver<P>, P: Platform> Binding<D, P> {
    /// Binds the driver to a device: calls its `probe`. Platform and device are taken by value, since what runs between now
    /// and the remove refers to them.
    ///
    /// # Errors
    /// What `probe` returned; or, in the driver's own type, [`Error::NoMemory`], or [`Error::Deadlock`] inside a [`ReadSection`](crate::ReadSection), for which
    /// the end of a failed `probe` could have to wait. With the device, which is unbound again.
    ///
    /// # Panics
    /// If `probe` panics, the scope is torn down, the device dropped, and the panic goes on.
    pub fn bind(
        platform: P,
        device: D::Device,
        cx: MaySleep<'_>,
    ) -> Result<Self, BindError<D::Error, D::Device>> {
        let (block, ()) = bind_block(platform, device, cx, |_| Ok(()))?;
        Ok(Binding {
            block,
            _owns: PhantomData,
        })
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &D::Device {
        // SAFETY: the block ends with the binding. [ENDED]
        unsafe { self.block.device() }
    }

    /// The platform.
    #[must_use]
    pub fn platform(&self) -> &P {
        // SAFETY: the block ends with the binding. [ENDED]
        unsafe { self.block.platform() }
    }

    /// A way in for the rest of the world, which may outlive the binding.
    ///
    /// Context: may sleep.
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub fn port(&self) -> Result<Port<D, P>, Error> {
        // SAFETY: the block ends with the binding. [ENDED]
        Ok(Port::new(
            unsafe { self.block.gates_for_port() }?,
            self.block,
        ))
    }

    /// Lends the driver's data to `f`: how the rest of the program calls a driver.
    ///
    /// Context: any that `f` is fit for.
    pub fn with<R>(&self, f: impl for<'a, 'drv> FnOnce(&'a D::Data<'drv>) -> R) -> R {
        // SAFETY: a binding has data, and it ends with the binding, which is borrowed; `f` is generic in both lifetimes. [ENDED, TYPED]
        f(unsafe { self.block.data() })
    }

    /// Lends the data and the scope, so that more can be registered.
    ///
    /// Context: may sleep.
    pub fn with_scope<R>(
        &self,
        cx: MaySleep<'_>,
        f: impl for<'a, 'drv> FnOnce(&'a D::Data<'drv>, &'a DriverScope<'drv, P>) -> R,
    ) -> R {
        let _ = cx;
        /// One name for the brand of both.
        ///
        /// # Safety
        /// As for [`Block::data`] and [`Block::scope`].
        unsafe fn lend<'drv, D: Driver<P>, P: Platform, R>(
            block: Block<D, P>,
            f: impl for<'a> FnOnce(&'a D::Data<'drv>, &'a DriverScope<'drv, P>) -> R,
        ) -> R {
            // SAFETY: the promise of the caller. [CALLER]
            let scope = unsafe { block.scope::<'drv>() };
            // SAFETY: likewise. [CALLER]
            f(unsafe { block.data::<'_, 'drv>() }, &scope)
        }
        // SAFETY: a binding has data, which ends with the binding, as its scope does; `f` is generic in both lifetimes; `cx`
        // proves that one may sleep. [ENDED, TYPED, AWAKE]
        unsafe { lend(self.block, f) }
    }

    /// Calls `visitor` for each registration of the driver: see [`inspect`](crate::inspect).
    ///
    /// Context: any that `visitor` is fit for, on any thread; others may register and inspect at the same time. A removal cannot be under way:
    /// the binding is borrowed.
    pub fn inspect(&self, mut visitor: impl FnMut(&Inspected)) {
        // SAFETY: the block ends with the binding, which is borrowed. [ENDED]
        unsafe { visit(self.block.core(), &mut visitor) };
    }

    /// The registrations of the driver as text, as they are when it is written.
    #[must_use]
    pub fn table(&self) -> Table<'_, P> {
        // SAFETY: the block ends with the binding, which the table borrows. [ENDED]
        unsafe { Table::new(self.block.core()) }
    }

    /// Removes the driver and gives the device back.
    ///
    /// Context: may sleep; waits for every callback that is running.
    ///
    /// # Errors
    /// [`Busy`], with the binding, inside a callback, a port call or a read section, of any scope. (A guard that was forgotten counts.)
    pub fn unbind(self, cx: MaySleep<'_>) -> Result<D::Device, Busy<Self>> {
        if cannot_wait(self.platform()) {
            return Err(Busy(self));
        }
        let block = self.block;
        mem::forget(self);
        // SAFETY: the binding was ours, and is gone. [ENDED]
        Ok(unsafe { block.end(cx) })
    }
}

/// Whether a teardown here could wait for its own caller: inside a callback, a port call or a read section, of whatever scope.
pub(super) fn cannot_wait<P: Platform>(platform: &P) -> bool {
    platform.in_callback() || platform.sections().holds(None)
}

/// What a driver that would not bind leaves.
type Unbound<D, P> = BindError<<D as Driver<P>>::Error, <D as Driver<P>>::Device>;

/// Binds a driver: makes its block, has `prepare` look at that, and probes. Whoever gets the block ends it.
pub(super) fn bind_block<D: Driver<P>, P: Platform, T>(
    platform: P,
    device: D::Device,
    cx: MaySleep<'_>,
    prepare: impl FnOnce(Block<D, P>) -> Result<T, Error>,
) -> Result<(Block<D, P>, T), Unbound<D, P>> {
    /// Ends the block when probe panics.
    struct Pending<'c, D: Driver<P>, P: Platform>(Block<D, P>, MaySleep<'c>);
    impl<D: Driver<P>, P: Platform> Drop for Pending<'_, D, P> {
        fn drop(&mut self) {
            // SAFETY: probe is over, by a panic, and nobody was given the block: nobody uses it any more. [ENDED]
            let device = unsafe { self.0.end(self.1) };
            // A second panic, in a destructor that runs because of the first, would abort.
            drop_device(device);
        }
    }

    let sections = platform.sections();
    // A gate that nobody is inside of but by a section on everything.
    if sections.holds(Some(&Gate::new(sections.new_id(), false))) {
        let error = Error::Deadlock.into();
        return Err(BindError { error, device });
    }
    let block = Block::new(platform, device).map_err(|device| BindError {
        error: Error::NoMemory.into(),
        device,
    })?;
    let pending = Pending(block, cx);
    let probed = prepare(block).map_err(D::Error::from).and_then(|prepared| {
        // SAFETY: a fresh block; `cx` proves that one may sleep. [ENDED, AWAKE]
        unsafe { block.probe() }.map(|()| prepared)
    });
    mem::forget(pending);
    match probed {
        Ok(prepared) => Ok((block, prepared)),
        Err(error) => {
            // SAFETY: probe is over and nobody was given the block. The error cannot refer to it: its type has no `'drv`. [ENDED, BRAND]
            let device = unsafe { block.end(cx) };
            Err(BindError { error, device })
        }
    }
}

impl<D: Driver<P>, P: Platform> Drop for Binding<D, P> {
    fn drop(&mut self) {
        /// # Safety
        /// `block` is what `Block::defer` gave to the platform for this driver and platform; called once.
        unsafe extern "C" fn remove_later<D: Driver<P>, P: Platform>(block: *mut ()) {
            // SAFETY: the caller's promise. [TYPED, CALLER]
            let block = unsafe { Block::<D, P>::from_deferred(block) };
            // SAFETY: the platform calls this where one may sleep, on no callback. [AWAKE, PROMISE]
            let cx = unsafe { MaySleep::assume() };
            // SAFETY: called once; the binding is gone. [ENDED]
            let device = unsafe { block.end(cx) };
            drop_device(device);
        }

        if cannot_wait(self.platform()) {
            // SAFETY: the binding is being dropped: nobody uses the block any more, and `end` is not called. [ENDED]
            unsafe { self.block.defer(remove_later::<D, P>) };
        } else {
            // SAFETY: dropping a binding waits, which its documentation says; the platform does not object to that here. [AWAKE]
            let cx = unsafe { MaySleep::assume() };
            // SAFETY: as above. [ENDED]
            drop(unsafe { self.block.end(cx) });
        }
    }
}

/// Drops a device where no panic may pass.
fn drop_device<T>(device: T) {
    // A panic here has been reported by the panic handler; there is no scope left to report it for.
    let _ = crate::platform::unwind::catch(|| drop(device));
}

impl<D: Driver<P>, P: Platform> fmt::Debug for Binding<D, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("driver", &core::any::type_name::<D>())
            .finish_non_exhaustive()
    }
}

/// A driver that would not bind.
///
/// It is as large as the device, so a function that hands it on as it is has a large `Result` (clippy's `result_large_err`). Most want the error alone:
/// `map_err(|failed| failed.error)`.
pub struct BindError<E, Device> {
    /// Why.
    pub error: E,
    /// The device, unbound.
    pub device: Device,
}

impl<E: fmt::Display, Device> fmt::Display for BindError<E, Device> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the driver did not bind: {}", self.error)
    }
}

/// Asks nothing of the device, so that `unwrap` works with any.
impl<E: fmt::Debug, Device> fmt::Debug for BindError<E, Device> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BindError")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<E: fmt::Debug + fmt::Display, Device> core::error::Error for BindError<E, Device> {}

/// An [`unbind`](Binding::unbind) inside a callback, a port call or a read section; it holds the binding.
pub struct Busy<B>(pub B);

impl<B> fmt::Debug for Busy<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Busy")
    }
}

impl<B> fmt::Display for Busy<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a driver cannot be removed inside a callback, a port call or a read section")
    }
}

impl<B> core::error::Error for Busy<B> {}
