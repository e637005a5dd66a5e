// SPDX-License-Identifier: GPL-2.0

//! A driver that leaks a binding, for tests: what is in it goes on when the device is unbound, and so the module cannot be unloaded.

#![allow(missing_docs)]

use core::mem;

use driver_scope::{Binding, Driver, DriverScope, Error, PciDevice, Units};
use driver_scope_linux::Linux;

/// The driver.
struct Leak;

impl Driver<Linux> for Leak {
    type Device = PciDevice<Linux>;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(
        _device: &'drv PciDevice<Linux>,
        scope: &DriverScope<'drv, Linux>,
    ) -> Result<(), Error> {
        let leaked =
            Binding::<Ticking, Linux>::bind(scope.platform().clone(), (), scope.may_sleep());
        mem::forget(leaked.map_err(|refused| refused.error)?);
        Ok(())
    }
}

/// What ticks and is never unbound.
struct Ticking;

impl Driver<Linux> for Ticking {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(_device: &'drv (), scope: &DriverScope<'drv, Linux>) -> Result<(), Error> {
        let timer = scope.named("leaked").hrtimer(|t| t.forward(1.millis()))?;
        timer.start(1.millis())
    }
}

driver_scope_linux::pci_module! {
    driver: Leak,
    ids: [edu::PCI_ID],
    name: "edu_leak",
    authors: ["The driver-scope developers"],
    description: "A leaked binding, by driver-scope",
    license: "Dual MIT/GPL",
}
