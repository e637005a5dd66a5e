// Wrong: an object that holds a handle is passed off as one that lives for ever.
// Instead: keep its bound: `Box<dyn Fn() + 'drv>`.
// Refused: returning this value requires that `'drv` must outlive `'static`
fn lengthen<'drv>(stop: Box<dyn Fn() + 'drv>) -> Box<dyn Fn()> {
    stop
}

fn stop_later(timer: driver_scope::HrTimer<'_, driver_scope::platform::Sim>) -> Box<dyn Fn()> {
    lengthen(Box::new(move || drop(timer.try_cancel())))
}

fn main() {}
