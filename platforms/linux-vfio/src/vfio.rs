//! VFIO, as far as one function of a PCI device needs it: an IOMMU's domain, regions, a message.
//!
//! Numbers and structures are those of Linux's `include/uapi/linux/vfio.h`.

use std::fs::{File, OpenOptions};
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::ptr::NonNull;

use libc::{c_int, c_ulong};
use linux_guest::config::Config;
use rustix::event::{eventfd, EventfdFlags};

/// The region of BAR 0 (`VFIO_PCI_BAR0_REGION_INDEX`).
pub const BAR0: u32 = 0;
/// The region of the configuration space (`VFIO_PCI_CONFIG_REGION_INDEX`).
const CONFIG: u32 = 7;
/// The messages of MSI (`VFIO_PCI_MSI_IRQ_INDEX`).
const MSI: u32 = 1;

/// `_IO(VFIO_TYPE, VFIO_BASE + n)`, with `VFIO_TYPE` `';'` and `VFIO_BASE` 100.
const fn request(n: c_ulong) -> c_ulong {
    ((b';' as c_ulong) << 8) | (100 + n)
}

const GET_API_VERSION: c_ulong = request(0);
const CHECK_EXTENSION: c_ulong = request(1);
const SET_IOMMU: c_ulong = request(2);
const GROUP_GET_STATUS: c_ulong = request(3);
const GROUP_SET_CONTAINER: c_ulong = request(4);
const GROUP_GET_DEVICE_FD: c_ulong = request(6);
const DEVICE_GET_REGION_INFO: c_ulong = request(8);
const DEVICE_SET_IRQS: c_ulong = request(10);
const IOMMU_MAP_DMA: c_ulong = request(13);
const IOMMU_UNMAP_DMA: c_ulong = request(14);

/// `VFIO_API_VERSION`
const API_VERSION: c_int = 0;
/// `VFIO_TYPE1v2_IOMMU`: what is unmapped is unmapped whole.
const TYPE1_V2: c_int = 3;
/// `VFIO_GROUP_FLAGS_VIABLE`: no other driver has a device of the group.
const VIABLE: u32 = 1 << 0;
/// `VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER`
const TRIGGER_EVENTFD: u32 = 1 << 2 | 1 << 5;
/// `VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE`
const READ_WRITE: u32 = 1 << 0 | 1 << 1;

/// `struct vfio_group_status`
#[repr(C)]
struct GroupStatus {
    argsz: u32,
    flags: u32,
}

/// `struct vfio_region_info`
#[repr(C)]
pub struct Region {
    argsz: u32,
    flags: u32,
    index: u32,
    cap_offset: u32,
    /// In bytes.
    pub size: u64,
    /// Where in the device's file it begins.
    pub offset: u64,
}

/// `struct vfio_irq_set`, with one eventfd as its data.
#[repr(C)]
struct IrqSet {
    argsz: u32,
    flags: u32,
    index: u32,
    start: u32,
    count: u32,
    eventfd: i32,
}

/// `struct vfio_iommu_type1_dma_map`
#[repr(C)]
struct DmaMap {
    argsz: u32,
    flags: u32,
    vaddr: u64,
    iova: u64,
    size: u64,
}

/// `struct vfio_iommu_type1_dma_unmap`
#[repr(C)]
struct DmaUnmap {
    argsz: u32,
    flags: u32,
    iova: u64,
    size: u64,
}

/// What tells the kernel how much of a structure the caller knows.
fn argsz<T>() -> u32 {
    mem::size_of::<T>() as u32
}

/// A function that this process has, alone in its IOMMU domain. What it opens stays open as long as this.
pub struct Function {
    // The device is closed first. That makes the kernel reset it, if it can, and take its interrupts back.
    device: File,
    _group: File,
    container: File,
}

impl Function {
    /// Takes a device, by its address, out of its group.
    ///
    /// # Errors
    /// In words.
    pub fn open(group: &str, address: &str) -> Result<Self, String> {
        let open = |path: &str| {
            let file = OpenOptions::new().read(true).write(true).open(path);
            file.map_err(|error| format!("{path}: {error}"))
        };
        let container = open("/dev/vfio/vfio")?;
        let group = open(&format!("/dev/vfio/{group}"))?;
        let fail = |what: &'static str| move |error: io::Error| format!("{what}: {error}");

        // SAFETY: (this one and the next three) these requests take a number or nothing. [FOREIGN]
        let version = unsafe { with_number(&container, GET_API_VERSION, 0) };
        let version = version.map_err(fail("API version"))?;
        if version != API_VERSION {
            return Err(format!("API version {version}"));
        }
        // SAFETY: see above. [FOREIGN]
        match unsafe { with_number(&container, CHECK_EXTENSION, TYPE1_V2) } {
            Ok(1) => {}
            other => return Err(format!("no IOMMU of type 1, version 2: {other:?}")),
        }
        let mut status = GroupStatus {
            argsz: argsz::<GroupStatus>(),
            flags: 0,
        };
        // SAFETY: it takes such a structure, and writes it. [FOREIGN]
        unsafe { with(&group, GROUP_GET_STATUS, &mut status) }.map_err(fail("status"))?;
        if status.flags & VIABLE == 0 {
            return Err("another driver has a device of the same group".into());
        }
        let mut fd: c_int = container.as_raw_fd();
        // SAFETY: it takes a pointer to the number of a file, and reads it. [FOREIGN]
        unsafe { with(&group, GROUP_SET_CONTAINER, &mut fd) }.map_err(fail("container"))?;
        // SAFETY: see above. [FOREIGN]
        unsafe { with_number(&container, SET_IOMMU, TYPE1_V2) }.map_err(fail("IOMMU"))?;

        let mut name = address.as_bytes().to_vec();
        name.push(0);
        // SAFETY: it takes a pointer to a string that ends with a zero, and reads it. [FOREIGN]
        let device = unsafe { ioctl(&group, GROUP_GET_DEVICE_FD, name.as_mut_ptr() as c_ulong) };
        let device: RawFd = device.map_err(fail("device"))?;
        // SAFETY: a file that the kernel has just opened for us. [FOREIGN]
        let device = unsafe { File::from_raw_fd(device) };
        Ok(Function {
            device,
            _group: group,
            container,
        })
    }

    /// The file that regions are mapped of.
    pub fn device(&self) -> io::Result<File> {
        self.device.try_clone()
    }

    /// A region of the device.
    pub fn region(&self, index: u32) -> io::Result<Region> {
        let mut region = Region {
            argsz: argsz::<Region>(),
            flags: 0,
            index,
            cap_offset: 0,
            size: 0,
            offset: 0,
        };
        // SAFETY: it takes such a structure, and writes it. [FOREIGN]
        unsafe { with(&self.device, DEVICE_GET_REGION_INFO, &mut region) }?;
        Ok(region)
    }

    /// The configuration space.
    pub fn config(&self) -> io::Result<Config> {
        let region = self.region(CONFIG)?;
        Ok(Config::new(self.device()?, region.offset))
    }

    /// Has the device's interrupts be messages, and the first of them be told by an eventfd, which is returned.
    pub fn message(&self) -> io::Result<File> {
        let event = File::from(eventfd(0, EventfdFlags::CLOEXEC)?);
        let mut set = IrqSet {
            argsz: argsz::<IrqSet>(),
            flags: TRIGGER_EVENTFD,
            index: MSI,
            start: 0,
            count: 1,
            eventfd: event.as_raw_fd(),
        };
        // SAFETY: it takes such a structure with as many files as it says, and reads it. The kernel has a share of the eventfd from then on. [FOREIGN]
        unsafe { with(&self.device, DEVICE_SET_IRQS, &mut set) }?;
        Ok(event)
    }

    /// Has the device reach memory of this process, at an address of its own. The memory is not moved from then on.
    ///
    /// # Safety
    /// The memory is valid, and accessed by volatile or atomic accesses only, until it is unmapped.
    pub unsafe fn map(&self, memory: NonNull<u8>, iova: u64, size: u64) -> io::Result<()> {
        let mut map = DmaMap {
            argsz: argsz::<DmaMap>(),
            flags: READ_WRITE,
            vaddr: memory.as_ptr() as u64,
            iova,
            size,
        };
        // SAFETY: it takes such a structure, and reads it; the memory is the device's to use, says the caller. [FOREIGN, CALLER]
        unsafe { with(&self.container, IOMMU_MAP_DMA, &mut map) }
    }

    /// The device does not reach this any more.
    pub fn unmap(&self, iova: u64, size: u64) -> io::Result<()> {
        let mut unmap = DmaUnmap {
            argsz: argsz::<DmaUnmap>(),
            flags: 0,
            iova,
            size,
        };
        // SAFETY: it takes such a structure, and writes to it how much there was. [FOREIGN]
        unsafe { with(&self.container, IOMMU_UNMAP_DMA, &mut unmap) }?;
        if unmap.size == size {
            Ok(())
        } else {
            Err(io::Error::other("something else was mapped there"))
        }
    }
}

/// # Safety
/// The request takes a pointer to a `T`, of which it reads and writes no more than that.
unsafe fn with<T>(file: &File, request: c_ulong, argument: &mut T) -> io::Result<()> {
    // SAFETY: the caller's promise; it is borrowed for the call. [CALLER]
    unsafe { ioctl(file, request, std::ptr::from_mut(argument) as c_ulong) }.map(drop)
}

/// # Safety
/// The request takes a number.
unsafe fn with_number(file: &File, request: c_ulong, argument: c_int) -> io::Result<c_int> {
    // SAFETY: the caller's promise. (No number here is negative.) [CALLER]
    unsafe { ioctl(file, request, argument as c_ulong) }
}

/// # Safety
/// The argument is one for the request.
unsafe fn ioctl(file: &File, request: c_ulong, argument: c_ulong) -> io::Result<c_int> {
    // SAFETY: an open file; the rest says the caller. [FOREIGN, CALLER]
    let result = unsafe { libc::ioctl(file.as_raw_fd(), request, argument) };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
