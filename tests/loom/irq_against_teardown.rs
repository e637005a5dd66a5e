//! The scope ends while its line is raised: what the handler captured and what the scope owns is dropped after it, and what it wrote is seen.

use driver_scope::{enter, Error, IrqReturn};

use crate::common::{bounded, bump, Guarded, Plain};
use crate::irqs::LoomLine;
use crate::platform::LoomPlatform;

/// `Guarded` finds a use after or beside its drop; what the handler wrote to the environment is read after `enter`.
///
/// Fails when weakened by `irq-no-shut`, `loom-irq-ended-release`, `loom-irq-ended-acquire`, `loom-irq-not-noted`.
#[test]
fn captures_and_owned_values_outlive_the_handler() {
    bounded(3, || {
        let platform = LoomPlatform::new();
        let line = LoomLine::new();
        let runs = Plain::new(0);
        let raisers = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &runs, |runs, scope| {
                let owned = scope.own(Guarded::new())?;
                let captured = Guarded::new();
                scope.irq(&line, move |_| {
                    owned.touch();
                    captured.touch();
                    bump(runs);
                    IrqReturn::Handled
                })?;
                Ok::<_, Error>([line.spawn_raise(), line.spawn_raise()])
            })
            .unwrap()
        });
        // `enter` has returned: its environment is ours alone.
        let ran = runs.get();
        runs.set(ran);
        for raiser in raisers {
            raiser.join().unwrap();
        }
        assert_eq!(runs.get(), ran);
    });
}
