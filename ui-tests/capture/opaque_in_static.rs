// Wrong: what a function returns as `impl Fn()` is put into a `static`, the handle inside with it.
// Instead: a `Port` in the `static`.
// Refused: coercion requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, Once, Work};

static QUEUE: Once<Box<dyn Fn() + Send + Sync>> = Once::new();

fn queuer<'drv>(work: Work<'drv, Sim>) -> impl Fn() + Send + Sync + 'drv {
    move || {
        let _ = work.queue();
    }
}

fn publish(work: Work<'_, Sim>) {
    let _ = QUEUE.set(Box::new(queuer(work)));
}

fn main() {}
