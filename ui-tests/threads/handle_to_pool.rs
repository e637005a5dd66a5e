// Wrong: a handle goes into a job of a thread pool, which runs it whenever it likes.
// Instead: `scope.work(..)`: the scope waits for it.
// Refused: coercion requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, Irq};

trait Pool {
    fn run(&self, job: Box<dyn FnOnce() + Send>);
}

fn later(pool: &dyn Pool, irq: Irq<'_, Sim>) {
    pool.run(Box::new(move || irq.enable()));
}

fn main() {}
