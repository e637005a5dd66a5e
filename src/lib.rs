//! A device driver's lifetime, enforced by the compiler.
//!
//! Everything that can call back into a driver or touch its device comes from a branded [`DriverScope<'drv, P>`](DriverScope), and
//! carries its lifetime. It begins when the driver is bound and ends when it is removed, so nothing that a driver makes can
//! outlive its `remove`: the compiler refuses it. And the scope ends everything by itself, in order, whatever was
//! forgotten, leaked or panicked.
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU32, Ordering};
//!
//! use driver_scope::platform::{Model, Region, Sim};
//! use driver_scope::*;
//!
//! // ---- the driver: no_std, forbids unsafe, works on any platform
//! struct Blinker;
//!
//! registers! {
//!     BlinkerRegs: 0x10 {
//!         0x00 => rw LED: u32,
//!     }
//! }
//!
//! impl<P: Platform> Driver<P> for Blinker {
//!     type Device = PciDevice<P>;
//!     type Data<'drv> = HrTimer<'drv, P>;
//!     type Error = Error;
//!
//!     fn probe<'drv>(
//!         dev: &'drv PciDevice<P>,
//!         scope: &DriverScope<'drv, P>,
//!     ) -> Result<HrTimer<'drv, P>, Error> {
//!         let regs = scope.map::<BlinkerRegs>(dev.bar(0)?)?;
//!         let blink = scope.hrtimer(move |t| {
//!             regs.modify(LED, |on| !on);
//!             t.forward(500.millis())
//!         })?;
//!         blink.start(500.millis())?;
//!         Ok(blink)
//!     }
//! }
//!
//! // ---- a device: a model of one
//! struct Led(AtomicU32);
//! impl Model for Led {
//!     fn read(&self, _offset: u64, _width: u8) -> u64 {
//!         self.0.load(Ordering::Relaxed).into()
//!     }
//!     fn write(&self, _offset: u64, _width: u8, value: u64) {
//!         self.0.store(value as u32, Ordering::Relaxed);
//!     }
//! }
//!
//! // ---- bind, run, remove
//! let led = Arc::new(Led(AtomicU32::new(0)));
//! let device = PciDevice::new(0x1234, 0x0001).with_bar(0, Region::new(led.clone(), 0x10))?;
//! let sim = Sim::new();
//! sim.may_sleep(|cx| {
//!     let binding: Binding<Blinker, Sim> =
//!         Binding::bind(sim.clone(), device, cx).map_err(|failed| failed.error)?;
//!     sim.advance(1750.millis());
//!     assert_eq!(led.0.load(Ordering::Relaxed), u32::MAX); // three times on, off, on
//!     drop(binding);
//!     sim.advance(60.secs());
//!     assert_eq!(led.0.load(Ordering::Relaxed), u32::MAX); // and no more
//!     Ok::<(), Error>(())
//! })?;
//! # Ok::<(), Error>(())
//! ```
//!
//! # Where to start
//! - To learn it: the [guide], which begins with a driver from nothing in 15 minutes.
//! - To write a driver: [`Driver`], [`DriverScope`], [`HrTimer`], [`Irq`], [`Work`], [`Mmio`], [`dma`].
//! - To run one: [`Binding`], or [`enter`] for one that lives on a stack; platforms [`Host`](platform::Host) and [`Sim`](platform::Sim) with feature `std`.
//! - To bring a platform: [`Platform`], the only `unsafe trait` that there is to implement besides its parts. To bring another source of callbacks:
//!   [`platform::registration`].
//!
//! # Features
//! - `std`, on by default: the hosted platforms, and catching a driver's panics. Without it the crate needs `core` alone.
//! - `barriers`: `platform::MachineBarriers`, for platforms that are real machines and have none of their own. Needs Rust 1.95.
//! - `safe-mmio`: pointers of that crate from an [`Mmio`], bounded by `'drv`. Needs Rust 1.88.
#![no_std]
// Says on docs.rs what is there with which feature.
#![cfg_attr(docsrs, feature(doc_cfg), doc(auto_cfg(hide(loom))))]
// Links to the hosted platforms, which are not there without `std`.
#![cfg_attr(not(feature = "std"), allow(rustdoc::broken_intra_doc_links))]

#[cfg(any(feature = "std", test))]
extern crate std;

mod bounds;
mod callback;
mod context;
mod devres;
pub mod dma;
mod driver;
mod error;
pub mod event;
// Pages to be read, and their code to be tried.
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod inspect;
mod irq;
pub mod mmio;
mod pci;
pub mod platform;
mod revocable;
mod scope;
pub mod sections;
mod sleep;
mod sync;
mod time;
pub mod timer;
pub mod work;

pub use context::{ContextId, MaySleep};
pub use devres::{Bound, Covariant, Devres, DevresGuard, Family, Plain};
pub use dma::{DmaBuffer, DmaDevice, DmaRing};
pub use driver::{BindError, Binding, Busy, Child, Driver, Port};
pub use error::Error;
pub use inspect::Inspected;
pub use irq::{Irq, IrqContext, IrqReturn};
pub use mmio::{Mmio, Poll, RegisterValue, Registers, Word};
pub use pci::PciDevice;
pub use platform::{Platform, TryCancel};
pub use revocable::{Revocable, RevocableGuard};
pub use scope::{enter, DriverScope};
pub use sections::ReadSection;
pub use sleep::{Sleep, Sleeper, Timeout};
pub use sync::{Lock, LockGuard, Once};
pub use time::{Instant, Units};
pub use timer::{Clock, HrTimer, Restart, TimerContext, TimerMode, Vacant};
pub use work::{VacantWork, Work, WorkContext};

/// Makes a type that has one invariant in `T`.
type Invariant<T> = core::marker::PhantomData<fn(T) -> T>;

/// The README's code, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
