// SPDX-License-Identifier: GPL-2.0

//! A device file: how programs call a driver, which may be unbound while they have the file open.

use core::fmt;
use core::marker::PhantomData;

use driver_scope::{Binding, Driver, Port};
use kernel::fs::{File, Kiocb};
use kernel::iov::{IovIterDest, IovIterSource};
use kernel::miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration};
use kernel::prelude::*;
use kernel::ModuleMetadata;

use crate::Linux;

/// What a driver's device file does: commands are written to it, and its state is read.
///
/// Every call comes by a [`Port`]: the driver is there until it returns, and once the driver is unbound calls end with `ENODEV`, however long the file stays open.
pub trait DeviceFile<D: Driver<Linux>>: 'static {
    #[doc(hidden)]
    const EXISTS: bool = true;

    /// Does what a line says. It comes without its end.
    ///
    /// # Errors
    /// What the program is to be told.
    fn write(data: &D::Data<'_>, line: &str) -> Result;

    /// Writes down the state.
    ///
    /// # Errors
    /// Those of `out`.
    fn read(data: &D::Data<'_>, out: &mut dyn fmt::Write) -> fmt::Result;
}

/// No file.
pub enum NoFile {}

impl<D: Driver<Linux>> DeviceFile<D> for NoFile {
    const EXISTS: bool = false;

    fn write(_: &D::Data<'_>, _: &str) -> Result {
        Err(ENODEV)
    }

    fn read(_: &D::Data<'_>, _: &mut dyn fmt::Write) -> fmt::Result {
        Err(fmt::Error)
    }
}

/// The longest line.
const LINE: usize = 256;
/// The longest state.
const STATE: usize = 1024;

/// The file of a driver that is bound; there can be one of a name.
#[pin_data]
#[repr(C)]
pub(crate) struct Registered<D: Driver<Linux>, F: DeviceFile<D>, M: ModuleMetadata + 'static> {
    /// First, so that the kernel crate's reference to it leads to the whole.
    #[pin]
    misc: MiscDeviceRegistration<Open<D, F, M>>,
    port: Port<D, Linux>,
}

impl<D: Driver<Linux>, F: DeviceFile<D>, M: ModuleMetadata> Registered<D, F, M> {
    /// Makes the file `/dev/<name of the module>`.
    pub(crate) fn new(binding: &Binding<D, Linux>) -> Result<Pin<KBox<Self>>> {
        let name = M::NAME;
        let port = binding.port().map_err(|_| ENOMEM)?;
        KBox::try_pin_init(
            try_pin_init!(Self {
                port,
                misc <- MiscDeviceRegistration::register(MiscDeviceOptions { name }),
            }),
            GFP_KERNEL,
        )
    }
}

/// A file that a program has open.
pub(crate) struct Open<D: Driver<Linux>, F, M> {
    port: Port<D, Linux>,
    _file: PhantomData<fn() -> (F, M)>,
}

#[vtable]
impl<D: Driver<Linux>, F: DeviceFile<D>, M: ModuleMetadata + 'static> MiscDevice for Open<D, F, M> {
    type OwnerModule = M;
    type Ptr = KBox<Self>;

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<KBox<Self>> {
        let registered: *const Registered<D, F, M> = core::ptr::from_ref(misc).cast();
        // SAFETY: only `Registered::new` registers it, as the first part of itself, which is `repr(C)`; the kernel keeps it from being unregistered, so dropped,
        // during this call. The port was there before it was registered. [FOREIGN]
        let port = unsafe { &(*registered).port };
        let open = Open {
            port: port.clone(),
            _file: PhantomData,
        };
        Ok(KBox::new(open, GFP_KERNEL)?)
    }

    fn write_iter(kiocb: Kiocb<'_, KBox<Self>>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let mut line = [0; LINE];
        if iov.len() > LINE {
            return Err(EINVAL);
        }
        let len = iov.copy_from_iter(&mut line);
        let text = core::str::from_utf8(&line[..len]).map_err(|_| EINVAL)?;
        let port = &kiocb.file().port;
        port.call(|data| F::write(data, text.trim_end()))
            .map_err(|_| ENODEV)??;
        Ok(len)
    }

    fn read_iter(mut kiocb: Kiocb<'_, KBox<Self>>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        // The state is read at once, from its begin: what follows would be of another moment.
        if kiocb.ki_pos() > 0 {
            return Ok(0);
        }
        let mut state = Text(KVec::with_capacity(STATE, GFP_KERNEL)?);
        let port = &kiocb.file().port;
        port.call(|data| F::read(data, &mut state))
            .map_err(|_| ENODEV)?
            .map_err(|_| ENOMEM)?;
        iov.simple_read_from_buffer(kiocb.ki_pos_mut(), &state.0)
    }
}

/// Text that is being written.
struct Text(KVec<u8>);

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0
            .extend_from_slice(text.as_bytes(), GFP_KERNEL)
            .map_err(|_| fmt::Error)
    }
}
