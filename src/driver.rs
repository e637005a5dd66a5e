//! The probe/remove form: a driver, and its binding to a device.

use crate::context::MaySleep;
use crate::error::Error;
use crate::platform::Platform;
use crate::scope::DriverScope;

mod binding;
mod child;
mod port;
mod storage;

pub use binding::{BindError, Binding, Busy};
pub use child::Child;
pub use port::Port;

/// A driver: how to take a device into service, and what there is to say at the end of it.
///
/// See the crate's first page for an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no driver for the platform `{P}`",
    label = "`Driver<{P}>` is not implemented for it",
    note = "a driver for every platform: `impl<P: Platform> Driver<P> for {Self} {{ .. }}`"
)]
pub trait Driver<P: Platform>: Sized + 'static {
    /// The device that it drives. Owned by the [`Binding`], lent for `'drv`.
    type Device: Send + Sync + 'static;

    /// The driver's state while it is bound: handles, references to owned values. It may borrow from its scope and it may
    /// have a `Drop`, which runs in the destroy phase, before anything it refers to is gone.
    type Data<'drv>: Send + Sync;

    /// Why a probe fails.
    type Error: From<Error>;

    /// Takes the device into service.
    ///
    /// Context: may sleep. Callbacks that it starts may run before it returns.
    ///
    /// # Errors
    /// The driver's own; the scope is then torn down as by a remove, except that [`remove`](Driver::remove) is not called, since there is
    /// no data.
    fn probe<'drv>(
        device: &'drv Self::Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Self::Data<'drv>, Self::Error>;

    /// Tells the hardware to stop. Optional: what the driver registered is stopped by its scope, after this.
    ///
    /// Context: may sleep; callbacks still run, all handles still work.
    fn remove(data: &Self::Data<'_>, cx: MaySleep<'_>) {
        let _ = (data, cx);
    }
}
