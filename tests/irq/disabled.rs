//! Handlers that are disabled, and what comes meanwhile.

use super::*;

on_every_platform! {
    a_handler_that_disables_itself_does_not_hide_the_interrupt_from_others,
    a_handler_disabled_in_the_middle_of_a_round_is_asked_later,
    what_comes_while_disabled_is_delivered_once,
    an_enable_too_many_does_nothing,
}

fn a_handler_that_disables_itself_does_not_hide_the_interrupt_from_others<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let seen = scope.own(AtomicU32::new(0))?;
        let first = scope.irq(&line, move |cx| {
            cx.irq().disable();
            IrqReturn::Handled
        })?;
        scope.irq(&line, move |_| {
            seen.fetch_add(1, SeqCst);
            IrqReturn::Handled
        })?;
        line.edge();
        until(scope, || !first.is_enabled());
        quietly(scope);
        first.enable();
        until(scope, || seen.load(SeqCst) > 0);
        Ok(())
    });
}

fn a_handler_disabled_in_the_middle_of_a_round_is_asked_later<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let [first, second] = [scope.own(AtomicU32::new(0))?, scope.own(AtomicU32::new(0))?];
        let other = scope.alloc(Once::new())?;
        scope.irq(&line, move |_| {
            if first.fetch_add(1, SeqCst) == 0 {
                let second: Option<&Irq<'_, _>> = other.get();
                second.expect("set before").disable();
            }
            IrqReturn::None
        })?;
        let irq = scope.irq(&line, move |_| {
            second.fetch_add(1, SeqCst);
            IrqReturn::Handled
        })?;
        assert!(other.set(irq).is_ok());
        line.edge();
        until(scope, || first.load(SeqCst) == 1);
        quietly(scope);
        assert_eq!(second.load(SeqCst), 0);
        irq.enable();
        until(scope, || second.load(SeqCst) == 1);
        Ok(())
    });
}

fn what_comes_while_disabled_is_delivered_once<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let seen = scope.own(AtomicU32::new(0))?;
        let irq = scope.irq(&line, move |_| {
            seen.fetch_add(1, SeqCst);
            IrqReturn::Handled
        })?;
        irq.disable();
        irq.disable();
        assert!(!irq.is_enabled());
        for _ in 0..3 {
            line.edge();
        }
        quietly(scope);
        irq.enable();
        quietly(scope);
        assert_eq!((seen.load(SeqCst), irq.is_enabled()), (0, false), "nested");
        irq.enable();
        until(scope, || seen.load(SeqCst) > 0);
        quietly(scope);
        assert_eq!((seen.load(SeqCst), irq.is_enabled()), (1, true), "merged");
        Ok(())
    });
}

fn an_enable_too_many_does_nothing<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let seen = scope.own(AtomicU32::new(0))?;
        let irq = scope.irq(&line, move |_| {
            seen.fetch_add(1, SeqCst);
            IrqReturn::Handled
        })?;
        irq.enable();
        irq.enable();
        irq.disable();
        line.edge();
        quietly(scope);
        assert_eq!((seen.load(SeqCst), irq.is_enabled()), (0, false));
        irq.enable();
        until(scope, || seen.load(SeqCst) == 1);
        Ok(())
    });
}
