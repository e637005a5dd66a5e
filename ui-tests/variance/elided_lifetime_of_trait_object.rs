// Wrong: `Box<dyn Fn()>` in a field is `Box<dyn Fn() + 'static>`; a handle is put into it.
// Instead: say for how long: `struct Handlers<'drv> { stop: Box<dyn Fn() + Send + 'drv> }`.
// Refused: coercion requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, HrTimer};

#[derive(Default)]
struct Handlers {
    stop: Vec<Box<dyn Fn() + Send>>,
}

impl Handlers {
    fn add(&mut self, timer: HrTimer<'_, Sim>) {
        self.stop.push(Box::new(move || {
            let _ = timer.try_cancel();
        }));
    }
}

fn main() {}
