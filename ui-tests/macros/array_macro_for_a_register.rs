// Wrong: the macro behind arrays is called by hand for a single register, and gives it a second element. Found when code is generated.
// Instead: an array: `[u32; 2; stride 4]`.
// Refused: evaluation panicked: the array has fewer elements
use driver_scope::platform::Sim;
use driver_scope::{enter, registers, PciDevice};

registers! {
    Small: 4 {
        0x0 => rw STATUS: u32,
    }
}

driver_scope::__array! { STATUS pub }

fn main() {
    let device = PciDevice::<Sim>::new(1, 1);
    let _ = Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &device, |device, scope| {
            scope
                .map::<Small>(device.bar(0)?)?
                .write(STATUS.nth::<1>(), 0);
            Ok::<(), driver_scope::Error>(())
        })
    });
}
