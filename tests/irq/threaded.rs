//! Handlers in two parts.

use super::*;

use super::common;

on_every_platform! {
    the_thread_may_sleep_and_the_line_waits_for_it,
    an_interrupt_that_is_done_at_once_wakes_nobody,
    a_disable_is_not_undone_by_the_thread,
    a_thread_may_be_needed_before_its_handler_is_registered,
    a_panicking_thread_gives_the_line_back,
    a_thread_that_runs_is_waited_for,
    no_thread_runs_after_the_scope,
}

fn the_thread_may_sleep_and_the_line_waits_for_it<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let [checks, threads] = [scope.own(AtomicU32::new(0))?, scope.own(AtomicU32::new(0))?];
        let device = scope.own(line.clone())?;
        let (irq, thread) = scope.named("rx").irq_threaded(
            &line,
            move |_| {
                checks.fetch_add(1, SeqCst);
                IrqReturn::WakeThread
            },
            move |w| {
                // While it lasts, the line is high, and nobody is asked.
                w.sleep(2.millis());
                device.level(false);
                threads.fetch_add(1, SeqCst);
            },
        )?;
        for n in 1..=5 {
            line.level(true);
            until(scope, || threads.load(SeqCst) == n);
            thread.flush(scope.may_sleep())?;
            assert!(irq.is_enabled());
            assert_eq!((checks.load(SeqCst), threads.load(SeqCst)), (n, n));
        }
        assert_eq!(
            (irq.name().label(), thread.name().label()),
            (Some("rx"), Some("rx"))
        );
        Ok(())
    });
}

fn an_interrupt_that_is_done_at_once_wakes_nobody<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let checks = scope.own(AtomicU32::new(0))?;
        let check = move |_: &mut IrqContext<'_, _>| (checks.fetch_add(1, SeqCst) == 0).into();
        scope.irq_threaded(&line, check, |_| panic!("nobody asked"))?;
        for n in 1..=2 {
            line.edge();
            until(scope, || checks.load(SeqCst) == n);
        }
        quietly(scope);
        Ok(())
    });
}

fn a_disable_is_not_undone_by_the_thread<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let [checks, threads] = [scope.own(AtomicU32::new(0))?, scope.own(AtomicU32::new(0))?];
        let check = move |_: &mut IrqContext<'_, _>| {
            checks.fetch_add(1, SeqCst);
            IrqReturn::WakeThread
        };
        let thread = move |_: &mut WorkContext<'_, _>| {
            threads.fetch_add(1, SeqCst);
        };
        let (irq, thread) = scope.irq_threaded(&line, check, thread)?;
        irq.disable();
        thread.queue()?;
        until(scope, || threads.load(SeqCst) == 1);
        thread.flush(scope.may_sleep())?;
        assert!(!irq.is_enabled());
        line.edge();
        quietly(scope);
        assert_eq!(checks.load(SeqCst), 0);
        irq.enable();
        until(scope, || threads.load(SeqCst) == 2);
        Ok(())
    });
}

fn a_thread_may_be_needed_before_its_handler_is_registered<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    for _ in 0..rounds(200, 5) {
        line.level(true);
        run_on(&platform, |scope| {
            let device = scope.own(line.clone())?;
            let threads = scope.own(AtomicU32::new(0))?;
            let (irq, thread) = scope.irq_threaded(
                &line,
                |_| IrqReturn::WakeThread,
                move |_| {
                    device.level(false);
                    threads.fetch_add(1, SeqCst);
                },
            )?;
            until(scope, || threads.load(SeqCst) > 0);
            until(scope, || irq.is_enabled() && !thread.is_pending());
            thread.flush(scope.may_sleep())?;
            assert!(irq.is_enabled());
            Ok(())
        });
    }
}

fn a_panicking_thread_gives_the_line_back<P: TestIrqs>() {
    quiet();
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let line = platform.line();
    run_on(&platform, |scope| {
        let [checks, others] = [scope.own(AtomicU32::new(0))?, scope.own(AtomicU32::new(0))?];
        let check = move |_: &mut IrqContext<'_, _>| {
            checks.fetch_add(1, SeqCst);
            IrqReturn::WakeThread
        };
        let (irq, _) = scope.irq_threaded(&line, check, |_| on_purpose("a thread"))?;
        scope.irq(&line, move |_| {
            others.fetch_add(1, SeqCst);
            IrqReturn::Handled
        })?;
        for n in 1..=4 {
            until(scope, || irq.is_enabled());
            line.edge();
            until(scope, || others.load(SeqCst) >= n);
        }
        until(scope, || irq.is_enabled());
        assert_eq!(checks.load(SeqCst), 1);
        Ok(())
    });
}

fn a_thread_that_runs_is_waited_for<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    let log = Log::default();
    platform.clone().meanwhile(|| {
        run_on(&platform, |scope| {
            let inside = scope.own(AtomicBool::new(false))?;
            let owned = scope.own(log.note("owned"))?;
            let captured = log.note("captured");
            let thread = move |_: &mut WorkContext<'_, _>| {
                inside.store(true, SeqCst);
                thread::sleep(Duration::from_millis(20));
                owned.log().add("threaded");
                let _ = &captured;
            };
            scope.irq_threaded(&line, |_| IrqReturn::WakeThread, thread)?;
            line.edge();
            wait_until(|| inside.load(SeqCst));
            Ok(())
        });
    });
    assert_eq!(log.lines(), ["threaded", "drop captured", "drop owned"]);
}

fn no_thread_runs_after_the_scope<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    line.level(true);
    let calls = AtomicU32::new(0);
    platform.clone().meanwhile(|| {
        for round in 0..rounds(200, 5) {
            let over = AtomicBool::new(false);
            let env = (&over, &line, &calls);
            let result = platform.lend_sleep(|cx| {
                enter(platform.clone(), cx, &env, |&(over, line, calls), scope| {
                    let canary = scope.own(Box::new(round))?;
                    let check = move |_: &mut IrqContext<'_, _>| {
                        assert!(!over.load(SeqCst), "late");
                        IrqReturn::WakeThread
                    };
                    let thread = move |_: &mut WorkContext<'_, _>| {
                        assert!(!over.load(SeqCst), "late");
                        assert_eq!(**canary, round);
                        calls.fetch_add(1, SeqCst);
                    };
                    scope.irq_threaded(line, check, thread)?;
                    if round % 2 == 0 {
                        thread::sleep(Duration::from_micros(200));
                    }
                    Ok::<(), Error>(())
                })
            });
            over.store(true, SeqCst);
            result.unwrap();
        }
    });
    line.level(false);
    platform.assert_at_rest();
    assert!(calls.load(SeqCst) > 0);
}
