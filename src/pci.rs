//! A PCI device, as far as a driver sees one.

use core::fmt;

use crate::error::Error;
use crate::platform::{Bus, Dma, Irqs, Platform};

/// How many interrupts a device can be given here. (MSI has up to 32 messages, MSI-X up to 2048; few drivers use more than a handful.)
const IRQS: usize = 8;

/// A PCI function: its identity, its BARs, its interrupts and its way to memory. Platforms make it; a driver names it as its `Device`.
pub struct PciDevice<P: Platform> {
    vendor: u16,
    device: u16,
    bars: [Option<<P::Bus as Bus>::Region>; 6],
    irqs: [Option<<P::Irqs as Irqs>::Line>; IRQS],
    dma: Option<<P::Dma as Dma>::Device>,
}

impl<P: Platform> PciDevice<P> {
    /// A function with the given ids (PCI Local Bus Specification, configuration space 0x00 and 0x02) and no BARs yet.
    #[must_use]
    pub fn new(vendor: u16, device: u16) -> Self {
        PciDevice {
            vendor,
            device,
            bars: [const { None }; 6],
            irqs: [const { None }; IRQS],
            dma: None,
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

    /// The same, with an interrupt: the INTx line as number 0, or messages by their numbers.
    ///
    /// # Errors
    /// [`Error::NoSuchIrq`] for a number above 7.
    pub fn with_irq(mut self, irq: u8, line: <P::Irqs as Irqs>::Line) -> Result<Self, Error> {
        *self
            .irqs
            .get_mut(usize::from(irq))
            .ok_or(Error::NoSuchIrq(irq))? = Some(line);
        Ok(self)
    }

    /// The same, with a way to memory: it can do DMA.
    #[must_use]
    pub fn with_dma(mut self, device: <P::Dma as Dma>::Device) -> Self {
        self.dma = Some(device);
        self
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

    /// An interrupt of the device, to put a handler on.
    ///
    /// # Errors
    /// [`Error::NoSuchIrq`].
    pub fn irq(&self, irq: u8) -> Result<&<P::Irqs as Irqs>::Line, Error> {
        self.irqs
            .get(usize::from(irq))
            .and_then(Option::as_ref)
            .ok_or(Error::NoSuchIrq(irq))
    }

    /// The device's way to memory, for [`DriverScope::dma`](crate::DriverScope::dma).
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it has none.
    pub fn dma(&self) -> Result<&<P::Dma as Dma>::Device, Error> {
        self.dma.as_ref().ok_or(Error::Unsupported)
    }
}

impl<P: Platform> fmt::Debug for PciDevice<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PciDevice({:04x}:{:04x})", self.vendor, self.device)
    }
}
