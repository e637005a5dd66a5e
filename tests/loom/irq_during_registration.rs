//! A line is raised while a handler is put on it: the handler finds all that it captured, and its own node.

use driver_scope::{enter, Error, IrqReturn};

use crate::common::{bounded, Guarded, Plain};
use crate::irqs::LoomLine;
use crate::platform::LoomPlatform;

/// Fails when weakened by `irq-node-late`.
#[test]
fn a_handler_that_runs_at_once_is_whole() {
    bounded(3, || {
        let platform = LoomPlatform::new();
        let line = LoomLine::new();
        let raiser = line.spawn_raise();
        let ran = Plain::new(0);
        platform
            .may_sleep(|cx| {
                enter(platform.clone(), cx, &ran, |ran, scope| {
                    let captured = (Guarded::new(), Plain::new(7));
                    captured.1.set(42);
                    let irq = scope.irq(&line, move |cx| {
                        captured.0.touch();
                        ran.set(captured.1.get());
                        cx.irq().disable();
                        IrqReturn::Handled
                    })?;
                    // Nobody waits for the handler yet, but it can be used.
                    irq.synchronize(scope.may_sleep())?;
                    Ok::<_, Error>(())
                })
            })
            .unwrap();
        assert!([0, 42].contains(&ran.get()));
        raiser.join().unwrap();
    });
}
