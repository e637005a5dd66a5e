// Wrong: a call to a driver would register more. `call` lends the data, without the scope: nobody knows whether the caller may sleep.
// Instead: register it beforehand, in `probe`; or later, by `Binding::with_scope`.
use driver_scope::{platform::Sim, Driver, Port, Restart};

fn register<D: Driver<Sim>>(port: &Port<D, Sim>) {
    let _ = port.call(|_data, scope| scope.hrtimer(|_| Restart::No));
}

fn main() {}
