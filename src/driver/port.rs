use core::fmt;
use core::marker::PhantomData;

use crate::driver::storage::Block;
use crate::driver::Driver;
use crate::error::Error;
use crate::platform::Platform;
use crate::scope::gates::Gates;
use crate::scope::shared::Shared;
use crate::scope::DriverScope;
use crate::sections::Visit;
use crate::Invariant;

/// A way to a driver for the rest of the world: an open file, a network stack, whatever may outlive the driver.
///
/// `'static`, cloneable, usable on any thread. A call is checked once, at its entry; inside it nothing is checked, and the driver's data is
/// there until the call ends: a remove waits for it. After the remove has begun, calls are refused; if the driver has
/// [children](crate::DriverScope::child), as soon as these are unbound.
///
/// ```
/// use driver_scope::{platform::Host, *};
/// # struct Null;
/// # impl<P: Platform> Driver<P> for Null {
/// #     type Device = ();
/// #     type Data<'drv> = u32;
/// #     type Error = Error;
/// #     fn probe<'drv>(_: &'drv (), _: &DriverScope<'drv, P>) -> Result<u32, Error> { Ok(7) }
/// # }
/// let host = Host::new()?;
/// let binding: Binding<Null, Host> = host.may_sleep(|cx| Binding::bind(host.clone(), (), cx)).map_err(|e| e.error)?;
/// let port = binding.port()?;
/// assert_eq!(port.call(|data| *data), Ok(7));
/// drop(binding);
/// assert_eq!(port.call(|data| *data), Err(Error::Gone));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Port<D: Driver<P>, P: Platform> {
    gates: Shared<Gates<P>, P>,
    /// Only used inside a section on the gate.
    block: Block<D, P>,
    /// Invariant in both: types that are subtypes of each other may be different drivers.
    _driver: Invariant<(D, P)>,
}

// SAFETY: a port lends `&Data`, which is `Sync`, to whatever thread enters; the gates are `Send + Sync`. [SHARED]
unsafe impl<D: Driver<P>, P: Platform> Send for Port<D, P> {}
// SAFETY: as above. [SHARED]
unsafe impl<D: Driver<P>, P: Platform> Sync for Port<D, P> {}

impl<D: Driver<P>, P: Platform> Port<D, P> {
    /// `block` is the one whose gates these are.
    pub(super) fn new(gates: Shared<Gates<P>, P>, block: Block<D, P>) -> Self {
        Port {
            gates,
            block,
            _driver: PhantomData,
        }
    }

    /// Calls the driver: lends its data to `f`.
    ///
    /// Context: any in which the platform's sections work (every one, on the hosted platforms); `f` may sleep if the caller may. Calls may nest. The
    /// remove of the driver waits for `f`, during which everything still works; what `f` waits for without an end should be told to
    /// end by the driver's `remove`. Inside `f` no driver is removed at once: a [`Binding`](crate::Binding) that is dropped there goes later.
    ///
    /// # Errors
    /// [`Error::NotBound`] while `probe` has not returned; [`Error::Gone`] when the remove has begun, or `probe` has failed.
    #[inline]
    pub fn call<R>(
        &self,
        f: impl for<'a, 'drv> FnOnce(&'a D::Data<'drv>) -> R,
    ) -> Result<R, Error> {
        let gate = &self.gates.ports;
        let inside = || {
            // SAFETY: the gate is open only while there is data, and the teardown waits for this section before it ends the block; `f` is generic
            // in both lifetimes. [GATE, TYPED]
            Ok(f(unsafe { self.block.data() }))
        };
        let refused = || {
            Err(if gate.is_over() {
                Error::Gone
            } else {
                Error::NotBound
            })
        };
        Visit::<P>::with(self.gates.platform().sections(), gate, inside, refused)
    }

    /// Whether calls are let in at this moment; a moment later it may be otherwise.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.gates.ports.is_open()
    }
}

impl<D: Driver<P>, P: Platform> Clone for Port<D, P> {
    fn clone(&self) -> Self {
        Port::new(self.gates.clone(), self.block)
    }
}

impl<D: Driver<P>, P: Platform> fmt::Debug for Port<D, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port")
            .field("driver", &core::any::type_name::<D>())
            .field("gate", &self.gates.ports)
            .finish_non_exhaustive()
    }
}

impl<P: Platform> DriverScope<'_, P> {
    /// A port to the driver whose scope this is, for what `probe` hands it to. Calls are refused until `probe` has returned its data.
    ///
    /// # Errors
    /// [`Error::OtherDriver`] if the scope is not one of a `D` (one of [`enter`](crate::enter) is no driver's); [`Error::NoMemory`].
    pub fn port<D: Driver<P>>(&self) -> Result<Port<D, P>, Error> {
        let block = Block::of_scope(self).ok_or(Error::OtherDriver)?;
        Ok(Port::new(self.core().gates_for_port()?, block))
    }
}
