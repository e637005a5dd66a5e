//! Lines that are never quiet.

use super::*;

use super::common;

on_every_platform! {
    #[cfg_attr(miri, ignore = "it takes 100,000 interrupts")]
    a_storm_that_nobody_handles_is_switched_off,
    a_storm_does_not_hold_up_a_removal,
    a_storm_does_not_hold_up_another_line,
    #[cfg_attr(miri, ignore = "it takes 100,000 interrupts")]
    a_panicked_handler_leaves_a_storm,
}

fn a_storm_that_nobody_handles_is_switched_off<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    let log = platform.log();
    run_on(&platform, |scope| {
        let seen = scope.own(AtomicU32::new(0))?;
        scope.named("deaf").irq(&line, move |_| {
            seen.fetch_add(1, SeqCst);
            IrqReturn::None
        })?;
        line.level(true);
        until(scope, || seen.load(SeqCst) == 100_000);
        quietly(scope);
        assert_eq!(seen.load(SeqCst), 100_000);
        if P::TELLS_STORMS {
            let told = "enter: the line of deaf is switched off: nobody handles its interrupts";
            until(scope, || log.count(told) == 1);
            assert!(items(scope)[0].irq().unwrap().stormed);
            // It gets another chance with the next handler.
            let device = scope.own(line.clone())?;
            scope.irq(&line, move |_| {
                device.level(false);
                IrqReturn::Handled
            })?;
            until(scope, || seen.load(SeqCst) == 100_001);
        }
        Ok(())
    });
    line.level(false);
}

fn a_storm_does_not_hold_up_a_removal<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    line.level(true);
    platform.clone().meanwhile(|| {
        for _ in 0..rounds(20, 3) {
            run_on(&platform, |scope| {
                let seen = scope.own(AtomicU32::new(0))?;
                // Two, so that the first that goes leaves the line as it is.
                for _ in 0..2 {
                    scope.irq(&line, move |_| {
                        seen.fetch_add(1, SeqCst);
                        IrqReturn::Handled
                    })?;
                }
                wait_until(|| seen.load(SeqCst) > rounds(1_000, 20));
                Ok(())
            });
        }
    });
}

fn a_storm_does_not_hold_up_another_line<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let [loud, other] = [platform.line(), platform.line()];
    platform.clone().meanwhile(|| {
        run_on(&platform, |scope| {
            let seen = scope.own(AtomicU32::new(0))?;
            let heard = scope.own(AtomicU32::new(0))?;
            scope.irq(&loud, move |_| {
                seen.fetch_add(1, SeqCst);
                IrqReturn::Handled
            })?;
            scope.irq(&other, move |_| {
                heard.fetch_add(1, SeqCst);
                IrqReturn::Handled
            })?;
            loud.level(true);
            wait_until(|| seen.load(SeqCst) > rounds(1_000, 20));
            for n in 1..=10 {
                other.edge();
                wait_until(|| heard.load(SeqCst) == n);
            }
            loud.level(false);
            Ok(())
        });
    });
}

fn a_panicked_handler_leaves_a_storm<P: TestIrqs>() {
    quiet();
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let line = platform.line();
    run_on(&platform, |scope| {
        let irq = scope
            .named("gone")
            .irq(&line, |_| on_purpose("a handler"))?;
        line.level(true);
        // Nobody handles it any more: it ends by being switched off.
        let is_off = || {
            let items = items(scope);
            items
                .iter()
                .filter_map(Inspected::irq)
                .any(|irq| irq.stormed)
        };
        if P::TELLS_STORMS {
            until(scope, is_off);
        } else {
            until(scope, || {
                scope.platform().log().count("enter: gone panicked") == 1
            });
        }
        assert!(irq.is_enabled());
        Ok(())
    });
    line.level(false);
}
