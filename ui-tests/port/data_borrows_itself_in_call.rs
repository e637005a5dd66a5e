// Wrong: a function asks for data that is borrowed for its own lifetime. Then the data could hold a reference to itself.
// Instead: two lifetimes: `fn count(data: &Data<'_>)`.
use std::sync::Mutex;

use driver_scope::{platform::Sim, Driver, Port};

struct Data<'drv>(Mutex<Option<&'drv Data<'drv>>>);

fn tie<'drv>(data: &'drv Data<'drv>) {
    *data.0.lock().unwrap() = Some(data);
}

fn call<D>(port: &Port<D, Sim>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = Data<'drv>>,
{
    let _ = port.call(tie);
}

fn main() {}
