// Wrong: a callback makes a future that borrows its context, and passes it on.
// Instead: take what the future needs out of the context: `let now = timer.now();`.
// Refused: `timer` escapes the closure body here
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::Sender;

use driver_scope::{platform::Sim, DriverScope, Error, Instant, Restart};

type Task = Pin<Box<dyn Future<Output = Instant> + Send>>;

fn probe(scope: &DriverScope<'_, Sim>, tasks: Sender<Task>) -> Result<(), Error> {
    scope.hrtimer(move |timer| {
        let _ = tasks.send(Box::pin(async move { timer.now() }));
        Restart::No
    })?;
    Ok(())
}

fn main() {}
