// Wrong: a callback of one device holds a handle of the other; nobody knows which device is removed first.
// Instead: own the other device's `Binding` (`scope.own`), and call it by `with`: it then lives as long as it is needed.
use driver_scope::{platform::Sim, Binding, Driver, HrTimer, MaySleep, Restart, Units};

fn mix<D>(a: &Binding<D, Sim>, b: &Binding<D, Sim>, cx: MaySleep<'_>)
where
    D: for<'drv> Driver<Sim, Data<'drv> = HrTimer<'drv, Sim>>,
{
    a.with(|a| {
        b.with_scope(cx, |_, scope| {
            let a = *a;
            let _ = scope.hrtimer(move |_| {
                let _ = a.start(1.millis());
                Restart::No
            });
        })
    });
}

fn main() {}
