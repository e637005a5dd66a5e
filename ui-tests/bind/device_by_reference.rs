// Wrong: the device is lent to the binding, which could then outlive it.
// Instead: hand it over; `unbind` gives it back, and `device()` lends it meanwhile.
use driver_scope::{platform::Sim, Binding, Driver, MaySleep};

fn bind<D: Driver<Sim>>(sim: Sim, device: D::Device, cx: MaySleep<'_>) {
    let _ = Binding::<D, Sim>::bind(sim, &device, cx);
}

fn main() {}
