// Wrong: a reference to an owned value is put into a `static`; the value is dropped at `remove`.
// Instead: put the value itself into the `static`, or the `Binding`, and reach it by `Binding::with`.
use std::sync::Mutex;

use driver_scope::{platform::Sim, DriverScope, Error};

static COUNT: Mutex<Option<&'static u32>> = Mutex::new(None);

fn publish(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    *COUNT.lock().unwrap() = Some(scope.own(7)?);
    Ok(())
}

fn main() {}
