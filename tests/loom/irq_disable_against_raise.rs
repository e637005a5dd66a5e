//! A handler is disabled while its line is raised: it does not run until it is enabled, and the interrupt is not lost.

use driver_scope::{enter, Error, IrqReturn};

use crate::common::{bounded, bump, Plain};
use crate::irqs::LoomLine;
use crate::platform::LoomPlatform;

/// What the handler uses is the driver's alone between `disable_sync` and `enable`.
///
/// Fails when weakened by `irq-disable-without-wait`, `irq-disable-after-wait`, `loom-irq-ended-release`, `loom-irq-ended-acquire`, `loom-irq-not-noted`.
#[test]
fn what_a_disabled_handler_uses_is_free() {
    bounded(3, || {
        let platform = LoomPlatform::new();
        let line = LoomLine::new();
        let runs = Plain::new(0);
        let raiser = platform
            .may_sleep(|cx| {
                enter(platform.clone(), cx, &runs, |runs, scope| {
                    let irq = scope.irq(&line, move |_| {
                        bump(runs);
                        IrqReturn::Handled
                    })?;
                    let raiser = line.spawn_raise();
                    irq.disable_sync(cx)?;
                    runs.set(runs.get());
                    irq.enable();
                    Ok::<_, Error>(raiser.join())
                })
            })
            .unwrap();
        raiser.unwrap();
        assert_eq!(runs.get(), 1);
    });
}
