// Wrong: the model of a device starts a driver's timer. Models are of the world outside, and outlive the driver.
// Instead: a model raises an interrupt: `IrqLine::raise`.
// Refused: lifetime bound not satisfied
use driver_scope::platform::{Model, Sim};
use driver_scope::{HrTimer, Units};

struct Echo<'drv>(HrTimer<'drv, Sim>);
impl Model for Echo<'_> {
    fn read(&self, _: u64, _: u8) -> u64 {
        0
    }
    fn write(&self, _: u64, _: u8, _: u64) {
        let _ = self.0.start(1.millis());
    }
}

fn main() {}
