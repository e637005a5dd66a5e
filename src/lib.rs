//! A driver's scope as a lifetime that the compiler enforces.
#![no_std]

#[cfg(any(feature = "std", test))]
extern crate std;

mod context;
mod driver;
mod error;
pub mod event;
mod mmio;
mod pci;
pub mod platform;
mod scope;
mod sync;
mod time;
pub mod timer;

pub use context::{ContextId, MaySleep};
pub use driver::{BindError, Binding, Busy, Driver};
pub use error::Error;
pub use mmio::{Mmio, Reg, Registers, Word};
pub use pci::PciDevice;
pub use platform::{Platform, TryCancel};
pub use scope::{enter, DriverScope};
pub use sync::{Lock, LockGuard, Once};
pub use time::{Instant, Units};
pub use timer::{HrTimer, Restart, TimerContext, Vacant};
