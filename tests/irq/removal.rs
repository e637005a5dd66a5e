//! The end of a scope: no handler runs after it, and what runs then is waited for.

use super::*;

on_every_platform! {
    a_forgotten_handler_is_taken_off_its_line,
    a_handler_that_runs_is_waited_for,
    no_handler_runs_after_the_scope,
    a_destructor_may_use_the_handle,
    a_handler_removes_another_driver,
    a_disabled_handler_takes_its_mark_along,
}

/// As in the parent, whose platforms they are.
use super::common;

fn a_forgotten_handler_is_taken_off_its_line<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    let seen = AtomicU32::new(0);
    platform
        .lend_sleep(|cx| {
            enter(
                platform.clone(),
                cx,
                &(&line, &seen),
                |&(line, seen), scope| {
                    let irq = scope.irq(line, move |_| {
                        seen.fetch_add(1, SeqCst);
                        IrqReturn::Handled
                    })?;
                    leaked_on_purpose(irq);
                    line.edge();
                    until(scope, || seen.load(SeqCst) == 1);
                    Ok::<(), Error>(())
                },
            )
        })
        .unwrap();
    platform.assert_at_rest();
    line.edge();
    line.level(true);
    run_on(&platform, |scope| {
        quietly(scope);
        Ok(())
    });
    assert_eq!(seen.load(SeqCst), 1);
}

fn a_handler_that_runs_is_waited_for<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    let log = Log::default();
    let waits = platform.log();
    platform.clone().meanwhile(|| {
        run_on(&platform, |scope| {
            let inside = scope.own(AtomicBool::new(false))?;
            let owned = scope.own(log.note("owned"))?;
            let captured = log.note("captured");
            scope.named("slow").irq(&line, move |_| {
                inside.store(true, SeqCst);
                thread::sleep(Duration::from_millis(30));
                owned.log().add("handled");
                let _ = &captured;
                IrqReturn::Handled
            })?;
            line.edge();
            wait_until(|| inside.load(SeqCst));
            Ok(())
        });
    });
    assert_eq!(log.lines(), ["handled", "drop captured", "drop owned"]);
    assert_eq!(waits.count("enter: irq slow: was running, waited for"), 1);
}

/// Devices go on raising their lines, all through probe, remove and the time after.
fn no_handler_runs_after_the_scope<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    let stop = AtomicBool::new(false);
    let calls = AtomicU32::new(0);
    thread::scope(|threads| {
        threads.spawn(|| {
            while !stop.load(SeqCst) {
                line.edge();
                line.level(true);
                thread::yield_now();
                line.level(false);
            }
        });
        platform.clone().meanwhile(|| {
            for round in 0..rounds(300, 10) {
                let over = AtomicBool::new(false);
                let result = platform.lend_sleep(|cx| {
                    enter(
                        platform.clone(),
                        cx,
                        &(&over, &line, &calls),
                        |&(over, line, calls), scope| {
                            let canary = scope.own(Box::new(round))?;
                            let kept = Box::new(round);
                            for _ in 0..2 {
                                let kept = kept.clone();
                                scope.irq(line, move |_| {
                                    assert!(!over.load(SeqCst), "late");
                                    assert_eq!(**canary, *kept);
                                    calls.fetch_add(1, SeqCst);
                                    IrqReturn::Handled
                                })?;
                            }
                            if round % 2 == 0 {
                                thread::sleep(Duration::from_micros(100));
                            }
                            Ok::<(), Error>(())
                        },
                    )
                });
                over.store(true, SeqCst);
                result.unwrap();
            }
        });
        stop.store(true, SeqCst);
    });
    platform.assert_at_rest();
    assert!(calls.load(SeqCst) > 0);
}

fn a_destructor_may_use_the_handle<P: TestIrqs>() {
    struct Uses<'drv, P: Platform>(Irq<'drv, P>, Log);
    impl<P: Platform> Drop for Uses<'_, P> {
        fn drop(&mut self) {
            self.0.enable();
            self.0.disable();
            self.0.enable();
            self.1.add(format!("enabled: {}", self.0.is_enabled()));
        }
    }
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    let log = Log::default();
    run_on(&platform, |scope| {
        let irq = scope.irq(&line, |_| IrqReturn::Handled)?;
        let uses = Uses(irq, log.clone());
        scope.irq(&line, move |_| {
            let _ = &uses;
            IrqReturn::None
        })?;
        Ok(())
    });
    assert_eq!(log.lines(), ["enabled: false"]);
}

/// A driver that does nothing.
struct Other;

impl<P: Platform> Driver<P> for Other {
    type Device = Log;
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>(log: &'drv Log, scope: &DriverScope<'drv, P>) -> Result<(), Error> {
        scope.on_remove(move |_| log.add("removed"))
    }
}

fn a_handler_removes_another_driver<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    let log = Log::default();
    let binding = platform
        .lend_sleep(|cx| Binding::<Other, _>::bind(platform.clone(), log.clone(), cx).ok())
        .unwrap();
    run_on(&platform, |scope| {
        let seen = scope.own(AtomicBool::new(false))?;
        let mut binding = Some(binding);
        scope.irq(&line, move |_| {
            drop(binding.take());
            seen.store(true, SeqCst);
            IrqReturn::Handled
        })?;
        line.edge();
        until(scope, || seen.load(SeqCst) && log.count("removed") == 1);
        // Its storage is given back after that.
        until(scope, || scope.platform().meter().live() <= 1);
        Ok(())
    });
}

/// A handler that was disabled when its scope ended does not hold up who comes after it on the line, or is on it.
fn a_disabled_handler_takes_its_mark_along<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    let seen = AtomicU32::new(0);
    platform
        .lend_sleep(|cx| {
            enter(
                platform.clone(),
                cx,
                &(&line, &seen),
                |&(line, seen), scope| {
                    scope.irq(line, move |_| {
                        seen.fetch_add(1, SeqCst);
                        IrqReturn::Handled
                    })?;
                    enter(scope.platform().clone(), cx, line, |line, inner| {
                        let irq = inner.irq(line, |_| IrqReturn::None)?;
                        irq.disable();
                        irq.disable();
                        line.edge();
                        quietly(inner);
                        Ok::<(), Error>(())
                    })?;
                    until(scope, || seen.load(SeqCst) == 1);
                    Ok::<(), Error>(())
                },
            )
        })
        .unwrap();
}
