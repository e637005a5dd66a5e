// Wrong: a task with a handle goes into a queue of the whole program.
// Instead: a task that calls the driver by a `Port`.
// Refused: argument requires that `'1` must outlive `'static`
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;

use driver_scope::{platform::Sim, Work};

static TASKS: Mutex<Vec<Pin<Box<dyn Future<Output = ()> + Send>>>> = Mutex::new(Vec::new());

fn spawn(work: Work<'_, Sim>) {
    let task = async move {
        let _ = work.queue();
    };
    TASKS.lock().unwrap().push(Box::pin(task));
}

fn main() {}
