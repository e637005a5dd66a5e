//! What a line is asked for, and what a handler is told.

use super::*;

use super::common;

on_every_platform! {
    what_is_handled_is_no_storm,
    a_handler_is_told_the_time,
    a_wait_tells_whether_there_was_a_call,
}

/// As many as make a storm, if nobody handles them.
fn what_is_handled_is_no_storm<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let seen = scope.own(AtomicU32::new(0))?;
        let device = scope.own(line.clone())?;
        // The last that is asked has nothing to do with it.
        scope.irq(&line, move |_| {
            if seen.fetch_add(1, SeqCst) == 100_010 {
                device.level(false);
            }
            IrqReturn::Handled
        })?;
        scope.irq(&line, |_| IrqReturn::None)?;
        line.level(true);
        until(scope, || seen.load(SeqCst) == 100_011);
        Ok(())
    });
}

fn a_handler_is_told_the_time<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let told = scope.own(Lock::<_, Metered<P>>::new(None))?;
        scope.irq(&line, move |cx| {
            *told.lock() = Some(cx.now());
            IrqReturn::Handled
        })?;
        quietly(scope);
        let before = scope.now();
        line.edge();
        until(scope, || told.lock().is_some());
        let told = told.lock().expect("it was");
        assert!(before <= told && told <= scope.now());
        Ok(())
    });
}

fn a_wait_tells_whether_there_was_a_call<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let inside = scope.own(AtomicU32::new(0))?;
        let irq = scope.irq(&line, move |_| {
            inside.fetch_add(1, SeqCst);
            thread::sleep(Duration::from_millis(20));
            IrqReturn::Handled
        })?;
        let cx = scope.may_sleep();
        scope.platform().clone().meanwhile(|| {
            // On a loaded machine the call may be over before the wait begins; not each time.
            let found = (0..100).any(|_| {
                let before = inside.load(SeqCst);
                line.edge();
                wait_until(|| inside.load(SeqCst) > before);
                irq.synchronize(cx) == Ok(true)
            });
            assert!(found);
        });
        Ok(())
    });
}

/// The round was asked for, and then the handler went: what the line is for next is not called by whom it was for.
#[test]
fn a_round_for_a_handler_that_is_gone_calls_no_other() {
    let (first, second) = (Sim::new(), Sim::new());
    let line = IrqLine::new();
    let enter_on =
        |sim: &Sim, f: &dyn for<'drv> Fn(&DriverScope<'drv, Sim>) -> Result<(), Error>| {
            sim.may_sleep(|cx| enter(sim.clone(), cx, &(), |(), scope| f(scope)))
                .unwrap();
        };
    enter_on(&first, &|scope| {
        scope.irq(&line, |_| IrqReturn::Handled)?;
        line.raise();
        Ok(())
    });
    enter_on(&second, &|scope| {
        let seen = scope.own(AtomicU32::new(0))?;
        scope.irq(&line, move |_| {
            seen.fetch_add(1, SeqCst);
            IrqReturn::Handled
        })?;
        line.raise();
        first.advance(1.millis());
        assert_eq!(seen.load(SeqCst), 0, "called by another platform");
        scope.sleep(1.millis());
        assert_eq!(seen.load(SeqCst), 1);
        Ok(())
    });
}
