//! A PCI device, as far as a driver sees one.

use core::fmt;

use crate::error::Error;
use crate::platform::{Bus, Platform};

/// A PCI function: its identity and its BARs. Platforms make it; a driver names it as its `Device`.
pub struct PciDevice<P: Platform> {
    vendor: u16,
    device: u16,
    bars: [Option<<P::Bus as Bus>::Region>; 6],
}

impl<P: Platform> PciDevice<P> {
    /// A function with the given ids (PCI Local Bus Specification, configuration space 0x00 and 0x02) and no BARs yet.
    #[must_use]
    pub fn new(vendor: u16, device: u16) -> Self {
        PciDevice {
            vendor,
            device,
            bars: [const { None }; 6],
        }
    }

    /// The same, with a BAR.
    ///
    /// # Errors
    /// [`Error::NoSuchBar`] for a number above 5.
    pub fn with_bar(mut self, bar: u8, region: <P::Bus as Bus>::Region) -> Result<Self, Error> {
        *self
            .bars
            .get_mut(usize::from(bar))
            .ok_or(Error::NoSuchBar(bar))? = Some(region);
        Ok(self)
    }

    /// The vendor id.
    #[must_use]
    pub fn vendor(&self) -> u16 {
        self.vendor
    }

    /// The device id.
    #[must_use]
    pub fn device(&self) -> u16 {
        self.device
    }

    /// The region behind a BAR, to be [`map`](crate::DriverScope::map)ped.
    ///
    /// # Errors
    /// [`Error::NoSuchBar`].
    pub fn bar(&self, bar: u8) -> Result<&<P::Bus as Bus>::Region, Error> {
        self.bars
            .get(usize::from(bar))
            .and_then(Option::as_ref)
            .ok_or(Error::NoSuchBar(bar))
    }
}

impl<P: Platform> fmt::Debug for PciDevice<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PciDevice({:04x}:{:04x})", self.vendor, self.device)
    }
}
