//! Registers behind BARs, which are mapped where they are.

use core::ptr::NonNull;

use driver_scope::platform::{DeviceMemory, MachineBarriers, MemoryBus};
use driver_scope::{Error, Word};

use crate::machine::boot::{address, DEVICES};
use crate::machine::lock::Spin;
use crate::machine::pci::{command, offset, Function, NOBODY};

/// How many BARs can be mapped at once.
const PLACES: usize = 8;

/// The bus.
pub enum Bars {}

/// A memory BAR of a function.
pub struct Bar {
    function: Function,
    number: u8,
    start: u64,
    size: usize,
}

impl Bar {
    /// BAR `number` of a function that nobody uses yet.
    ///
    /// # Errors
    /// [`Error::NoSuchBar`]; [`Error::Unsupported`] for one in memory where no device should be.
    pub fn new(function: Function, number: u8) -> Result<Self, Error> {
        let (start, size) = function.bar(number).ok_or(Error::NoSuchBar(number))?;
        let end = start + size as u64;
        if start < DEVICES.start || end > DEVICES.end {
            return Err(Error::Unsupported);
        }
        Ok(Bar {
            function,
            number,
            start,
            size,
        })
    }

    /// The same BAR of the device that is in the place of that one now, which the firmware has not seen.
    ///
    /// # Errors
    /// As for [`new`](Bar::new); [`Error::AlreadyMapped`].
    pub fn renewed(&self) -> Result<Self, Error> {
        let Bar {
            function,
            number,
            start,
            ..
        } = *self;
        if PLACES_TAKEN.with(|places| places.iter().flatten().any(|place| self.overlaps(place))) {
            return Err(Error::AlreadyMapped);
        }
        // SAFETY: the firmware has made this place for the same BAR of the same function. `new` looks whether it is as large. [MACHINE]
        unsafe { function.place_bar(number, start) };
        let bar = Bar::new(function, number)?;
        if bar.size > self.size {
            return Err(Error::Unsupported);
        }
        Ok(bar)
    }

    fn overlaps(&self, other: &Place) -> bool {
        self.start < other.end && other.start < self.start + self.size as u64
    }
}

/// A BAR that is mapped.
#[derive(Clone, Copy)]
struct Place {
    start: u64,
    end: u64,
    function: Function,
}

static PLACES_TAKEN: Spin<[Option<Place>; PLACES]> = Spin::new([None; PLACES]);

/// A mapped BAR.
pub struct MappedBar {
    place: usize,
    start: u64,
    size: usize,
}

impl Drop for MappedBar {
    fn drop(&mut self) {
        PLACES_TAKEN.with(|places| places[self.place] = None);
    }
}

// SAFETY: what is mapped is device memory (or nothing), where it stays, aligned to its size; accesses to it are single volatile ones, so neither torn nor
// data races. `PLACES_TAKEN` has no two that overlap. [PROMISE]
unsafe impl MemoryBus for Bars {
    type Region = Bar;
    type Mapping = MappedBar;
    type Barriers = MachineBarriers;

    fn map(bar: &Bar) -> Result<MappedBar, Error> {
        let at = offset::BAR + u16::from(bar.number) * 4;
        if bar.function.vendor() == NOBODY
            || u64::from(bar.function.read_u32(at) & !0xf) != bar.start
        {
            return Err(Error::NoDevice);
        }
        let place = PLACES_TAKEN.with(|places| {
            if places.iter().flatten().any(|place| bar.overlaps(place)) {
                return Err(Error::AlreadyMapped);
            }
            let free = places.iter().position(Option::is_none);
            let free = free.ok_or(Error::NoMemory)?;
            places[free] = Some(Place {
                start: bar.start,
                end: bar.start + bar.size as u64,
                function: bar.function,
            });
            Ok(free)
        })?;
        // SAFETY: the BAR lies where devices are, and in nobody's way, as far as the firmware knows its work. [MACHINE]
        unsafe { bar.function.command(command::MEMORY, 0) };
        Ok(MappedBar {
            place,
            start: bar.start,
            size: bar.size,
        })
    }

    fn size(mapping: &MappedBar) -> usize {
        mapping.size
    }

    fn address(mapping: &MappedBar) -> NonNull<u8> {
        address(mapping.start)
    }

    /// A device that was pulled out reads as zero here, not as all ones; its configuration space does not read as anybody's.
    unsafe fn vanished<T: Word>(memory: DeviceMemory, value: T) -> bool {
        let value = value.to_u64();
        if value != 0 && value != T::ONES.to_u64() {
            return false;
        }
        let at = memory.address().addr().get() as u64;
        let place = PLACES_TAKEN.with(|places| {
            let here = |place: &&Place| (place.start..place.end).contains(&at);
            places.iter().flatten().find(here).copied()
        });
        place.is_some_and(|place| place.function.vendor() == NOBODY)
    }
}
