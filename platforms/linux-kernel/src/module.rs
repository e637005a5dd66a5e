// SPDX-License-Identifier: GPL-2.0

/// Makes a module of a driver for PCI devices.
///
/// ```ignore
/// driver_scope_linux::pci_module! {
///     driver: edu::Edu,
///     ids: [edu::PCI_ID],
///     file: commands::Commands,          // a `DeviceFile`, as /dev/<name>; or left out
///     name: "edu",
///     authors: ["..."],
///     description: "...",
///     license: "Dual MIT/GPL",
/// }
/// ```
///
/// The driver is a [`Driver`](driver_scope::Driver) of `PciDevice`s for the platform [`Linux`](crate::Linux), with an error that can be shown. What comes after the file is passed to the kernel's
/// own `module!`.
#[macro_export]
macro_rules! pci_module {
    (driver: $driver:ty, ids: [$($id:expr),+ $(,)?], file: $file:ty, $($module:tt)+) => {
        $crate::pci_module!(@ $driver, [$($id),+], $file, $($module)+);
    };
    (driver: $driver:ty, ids: [$($id:expr),+ $(,)?], name: $($module:tt)+) => {
        $crate::pci_module!(@ $driver, [$($id),+], $crate::NoFile, name: $($module)+);
    };
    (@ $driver:ty, [$($id:expr),+], $file:ty, $($module:tt)+) => {
        struct PciDriver;

        ::kernel::pci_device_table!(IDS, (), [$(($crate::pci::id($id), ())),+]);

        impl $crate::pci::Spec for PciDriver {
            type Driver = $driver;
            type File = $file;
            type Module = Module;
            const IDS: ::kernel::pci::IdTable<()> = &IDS;
        }

        #[::kernel::prelude::pin_data]
        struct Module {
            #[pin]
            module: $crate::pci::PciModule<PciDriver>,
        }

        impl ::kernel::InPlaceModule for Module {
            fn init(
                module: &'static ::kernel::ThisModule,
            ) -> impl ::kernel::prelude::PinInit<Self, ::kernel::error::Error> {
                ::kernel::try_pin_init!(Self {
                    module <- $crate::pci::PciModule::new(module),
                })
            }
        }

        ::kernel::prelude::module! {
            type: Module,
            $($module)+
        }
    };
}
