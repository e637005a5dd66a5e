//! The checks on the device itself: the one place that knows how its registers are accessed.

use std::time::{Duration, Instant};

use crate::report::Report;
use crate::sysfs::{Device, Mapping};

const ID: usize = 0x00;
const LIVENESS: usize = 0x04;
const FACTORIAL: usize = 0x08;
const STATUS: usize = 0x20;

const STATUS_COMPUTING: u32 = 1 << 0;

/// Version 1.0 of an edu.
const EXPECTED_ID: u32 = 0x0100_00ed;

/// The device needs milliseconds; an emulated processor may be slow to notice.
const PATIENCE: Duration = Duration::from_secs(10);

/// The registers are in this BAR.
const BAR: u8 = 0;

/// Makes the checks `map`, `identify`, `liveness` and `factorial` on a device that is bound and enabled.
pub fn run(device: &Device, report: &mut Report) -> Result<(), &'static str> {
    let mapping = &report.step("map", device.map(BAR))?;
    report.info(&format!("BAR {BAR}: {} KiB", mapping.len() / 1024));
    let edu = Edu { mapping };
    report.check("identify", edu.identify());
    report.check("liveness", edu.liveness(0x1234_5678));
    report.check("factorial", edu.factorial(10, 3_628_800));
    Ok(())
}

/// The device by plain volatile accesses.
struct Edu<'m> {
    mapping: &'m Mapping,
}

impl Edu<'_> {
    fn identify(&self) -> Result<(), String> {
        expect(EXPECTED_ID, self.read(ID))
    }

    fn liveness(&self, value: u32) -> Result<(), String> {
        self.write(LIVENESS, value);
        expect(!value, self.read(LIVENESS))
    }

    fn factorial(&self, n: u32, result: u32) -> Result<(), String> {
        self.write(FACTORIAL, n);
        let started = Instant::now();
        while self.read(STATUS) & STATUS_COMPUTING != 0 {
            if started.elapsed() > PATIENCE {
                return Err(format!("still computing after {PATIENCE:?}"));
            }
            std::thread::yield_now();
        }
        expect(result, self.read(FACTORIAL))
    }

    fn read(&self, offset: usize) -> u32 {
        let register = self.register(offset);
        // SAFETY: `register` is in the mapping, which lives as long as `self`, and aligned. It is device
        // memory, shared with no Rust object, so there is nothing to race with.
        unsafe { register.read_volatile() }
    }

    fn write(&self, offset: usize, value: u32) {
        let register = self.register(offset);
        // SAFETY: as in `read`.
        unsafe { register.write_volatile(value) }
    }

    /// A pointer to a whole, aligned register inside the mapping.
    fn register(&self, offset: usize) -> *mut u32 {
        const SIZE: usize = size_of::<u32>();
        assert!(offset % SIZE == 0 && offset + SIZE <= self.mapping.len());
        // SAFETY: the offset is within the mapping, by the assertion.
        unsafe { self.mapping.base().as_ptr().add(offset).cast() }
    }
}

fn expect(expected: u32, read: u32) -> Result<(), String> {
    if read == expected {
        Ok(())
    } else {
        Err(format!("read {read:#010x}, expected {expected:#010x}"))
    }
}
