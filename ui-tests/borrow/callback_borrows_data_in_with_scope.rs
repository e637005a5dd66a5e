// Wrong: a callback borrows the driver's data. Data is dropped first at remove, while callbacks' captures still exist.
// Instead: keep in the data a reference to what the callback needs (`scope.own`, `&'drv T`), and copy that reference.
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::{platform::Sim, Binding, Driver, MaySleep, Restart};

struct Counts {
    ticks: AtomicU32,
}

fn add<D>(binding: &Binding<D, Sim>, cx: MaySleep<'_>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = Counts>,
{
    binding.with_scope(cx, |data, scope| {
        let _ = scope.hrtimer(move |_| {
            data.ticks.fetch_add(1, Ordering::Relaxed);
            Restart::No
        });
    });
}

fn main() {}
