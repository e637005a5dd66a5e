//! A driver whose registers are declared for the crate safe-mmio, as those of arm-gic or arm-pl011-uart are.
//!
//! The region is mapped as the only pointer to these registers, which cannot outlive the driver's scope. It goes where the driver's other things
//! go: a lock, and by that a timer's callback.

use driver_scope::platform::{Addressed, Bus, Host, Platform};
use driver_scope::{Binding, Driver, DriverScope, Error, HrTimer, Lock, Restart, Units};
use safe_mmio::fields::{ReadPure, ReadPureWrite, WriteOnly};
use safe_mmio::{field, field_shared, UniqueMmioPointer};
use zerocopy::FromBytes;

use memory::{Memory, Region};

#[path = "../../tests/safe_mmio/memory.rs"]
mod memory;

// ---- the driver, for any platform whose registers have addresses

/// The device's registers.
#[derive(FromBytes)]
#[repr(C)]
struct Beeper {
    id: ReadPure<u32>,
    pitch: ReadPureWrite<u32>,
    acknowledge: WriteOnly<u32>,
}

struct Melody;

struct Data<'drv, P: Platform> {
    beeper: &'drv Lock<UniqueMmioPointer<'drv, Beeper>, P>,
    step: HrTimer<'drv, P>,
}

impl<P: Platform<Bus: Addressed>> Driver<P> for Melody {
    type Device = <P::Bus as Bus>::Region;
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        region: &'drv Self::Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Data<'drv, P>, Error> {
        // SAFETY: `Beeper` has no `Deref`, its fields are aligned to their size, and the macros are given variables.
        let mut beeper = unsafe { scope.map_unique::<Beeper>(region)? };
        let id = field_shared!(beeper, id).read();
        field!(beeper, acknowledge).write(id);
        field!(beeper, pitch).write(440);

        let beeper = scope.alloc(Lock::new(beeper))?;
        let step = scope.hrtimer(move |t| {
            let mut beeper = beeper.lock();
            let mut pitch = field!(beeper, pitch);
            pitch.modify(|pitch| pitch + 110);
            if pitch.read() < 880 {
                t.restart_after(1.millis())
            } else {
                Restart::No
            }
        })?;
        step.start(1.millis())?;
        Ok(Data { beeper, step })
    }
}

// ---- bind, run, remove

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Host::<Memory>::on_bus(|_| {})?;
    let region = Region::new(2);
    host.may_sleep(|cx| {
        let binding: Binding<Melody, _> =
            Binding::bind(host.clone(), region.clone(), cx).map_err(|failed| failed.error)?;
        while binding.with(|melody| melody.step.is_active()) {
            host.sleep(cx, 1.millis());
        }
        let pitch = binding.with(|melody| {
            let beeper = melody.beeper.lock();
            field_shared!(beeper, pitch).read()
        });
        println!("the last pitch is {pitch} Hz");
        if pitch != 880 || !region.is_mapped() {
            return Err("the melody is wrong".into());
        }
        drop(binding);
        if region.is_mapped() {
            return Err("the region is still mapped".into());
        }
        Ok(())
    })
}
