//! The timer of an NVIDIA GPU: nova-core's first subdevice, as a driver for any platform of driver-scope.
//!
//! A GPU counts nanoseconds in `PTIMER`, 61 bits in two registers. To read them without tearing is all there is to it. It is what
//! the RFC "gpu: nova-core: add basic timer subdevice implementation" proposed for Linux in February 2025, and what a long discussion then began with: BAR 0
//! was behind a `Devres`, so that each method which reads a register could fail, or had to be handed a guard. Here a read is
//!
//! ```
//! # use driver_scope::Platform;
//! # use nova_timer::NovaData;
//! fn timestamp<P: Platform>(nova: &NovaData<'_, P>) -> u64 {
//!     nova.timer.now()
//! }
//! ```
//!
//! and nobody can call it when the registers are gone: no handle outlives the driver.
//!
//! ```compile_fail
//! # use driver_scope::Platform;
//! # use nova_timer::NovaData;
//! fn outlive<P: Platform>(nova: &NovaData<'_, P>) {
//!     let timer = nova.timer;
//!     std::thread::spawn(move || timer.now());
//! }
//! ```
//!
//! The alarm is the other half: something that calls back, which the scope stops and waits for. There is nothing about that in here.
//!
//! NVIDIA's own driver read these registers until Turing; from there on it reads the same counter in another place of BAR 0
//! (`timer_gm107.c` and `timer_tu102.c` of open-gpu-kernel-modules). The RFC read them here.
#![no_std]
#![forbid(unsafe_code)]

use driver_scope::{Driver, DriverScope, Error, PciDevice, Platform};

mod alarm;
pub mod registers;
mod timer;

pub use alarm::{Alarm, Ring};
pub use timer::{Timer, END, TICK};

use registers::{Bar0, PTIMER};

/// The driver.
pub struct NovaTimer;

/// The driver while it is bound.
pub struct NovaData<'drv, P: Platform> {
    /// The clock.
    pub timer: Timer<'drv, P>,
    /// The alarm on it.
    pub alarm: Alarm<'drv, P>,
}

impl<P: Platform> Driver<P> for NovaTimer {
    type Device = PciDevice<P>;
    type Data<'drv> = NovaData<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        dev: &'drv PciDevice<P>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<NovaData<'drv, P>, Error> {
        let bar = scope.named("BAR 0").map::<Bar0>(dev.bar(0)?)?;
        // The subdevice gets its own registers, and no others.
        let timer = Timer::new(bar.block(PTIMER));
        timer.try_now()?;
        let alarm = Alarm::new(scope, timer)?;
        Ok(NovaData { timer, alarm })
    }
}
