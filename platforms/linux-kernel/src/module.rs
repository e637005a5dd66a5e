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

        impl ::kernel::pci::Driver for PciDriver {
            type IdInfo = ();
            type Data<'bound> = $crate::pci::Bound<$driver, $file, Module>;
            const ID_TABLE: ::kernel::pci::IdTable<()> = &IDS;

            fn probe<'bound>(
                device: &'bound ::kernel::pci::Device<::kernel::device::Core<'_>>,
                _info: ::core::option::Option<&'bound ()>,
            ) -> impl ::kernel::prelude::PinInit<Self::Data<'bound>, ::kernel::error::Error> + 'bound {
                $crate::pci::probe::<$driver, $file, Module>(device)
            }

            fn unbind<'bound>(
                _device: &'bound ::kernel::pci::Device<::kernel::device::Core<'_>>,
                bound: ::core::pin::Pin<&Self::Data<'bound>>,
            ) {
                $crate::pci::unbind(bound.get_ref());
            }
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
                    module <- $crate::pci::PciModule::new(<Self as ::kernel::ModuleMetadata>::NAME, module),
                })
            }
        }

        ::kernel::prelude::module! {
            type: Module,
            $($module)+
        }
    };
}
