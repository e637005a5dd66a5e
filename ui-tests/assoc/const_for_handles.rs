// Wrong: a constant that is a place for handles, which a trait gives to each driver.
// Instead: a field of `Data`.
// Refused: argument requires that `'drv` must outlive `'static`
use driver_scope::{platform::Sim, DriverScope, HrTimer, Lock};

trait Place {
    const PLACE: &'static Lock<Option<HrTimer<'static, Sim>>, Sim>;
}

fn keep<'drv, T: Place>(_: &DriverScope<'drv, Sim>, timer: HrTimer<'drv, Sim>) {
    *T::PLACE.lock() = Some(timer);
}

fn main() {}
