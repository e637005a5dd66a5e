//! The model as a device of driver-scope's hosted platforms.

use std::sync::Arc;

use driver_scope::platform::{DmaSpace, Emulated, Model, Platform, Region};
use driver_scope::{Error, PciDevice};

use crate::{EduModel, Memory};

impl Model for EduModel {
    fn read(&self, offset: u64, width: u8) -> u64 {
        EduModel::read(self, offset, width)
    }

    fn write(&self, offset: u64, width: u8, value: u64) {
        EduModel::write(self, offset, width, value);
    }
}

impl Memory for DmaSpace {
    fn read(&self, address: u64, to: &mut [u8]) -> bool {
        DmaSpace::read(self, address, to).is_ok()
    }

    fn write(&self, address: u64, from: &[u8]) -> bool {
        DmaSpace::write(self, address, from).is_ok()
    }
}

impl EduModel {
    /// The model, with the memory that its driver allocates: the space is also the function's, by
    /// [`PciDevice::with_dma`], when that is made of the model.
    #[must_use]
    pub fn with_dma(self, space: &DmaSpace) -> Self {
        self.with_memory(space.clone())
    }

    /// The model as a PCI function with its BAR 0, to bind a driver to.
    ///
    /// # Errors
    /// None in practice: a PCI function has a BAR 0.
    pub fn pci_device<P: Platform<Bus = Emulated>>(
        self: &Arc<Self>,
    ) -> Result<PciDevice<P>, Error> {
        let model: Arc<dyn Model> = self.clone();
        // The size fits: it is 1 MiB.
        let region = Region::new(model, Self::BAR_SIZE as usize);
        PciDevice::new(Self::VENDOR_ID, Self::DEVICE_ID).with_bar(0, region)
    }
}
