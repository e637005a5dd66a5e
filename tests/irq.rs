//! Interrupt handlers: called for what their line does, never beside themselves, and never after their scope.

mod common;

use std::cell::Cell;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use common::irqs::{Line, TestIrqs};
use common::{
    leaked_on_purpose, on_purpose, quiet, rounds, run_on, until, wait_until, Log, Metered,
    Smuggled, TestPlatform,
};
use driver_scope::platform::{Host, IrqLine, Sim};
use driver_scope::{
    enter, Binding, Driver, DriverScope, Error, Inspected, Irq, IrqContext, IrqReturn, Lock,
    MaySleep, Once, PciDevice, Platform, Restart, Units, WorkContext,
};

#[path = "irq/disabled.rs"]
mod disabled;
#[path = "irq/lines.rs"]
mod lines;
#[path = "irq/removal.rs"]
mod removal;
#[path = "irq/storm.rs"]
mod storm;
#[path = "irq/threaded.rs"]
mod threaded;

/// Interrupts where it has to be many.
const MANY: u32 = rounds(2_000, 50);

on_every_platform! {
    an_interrupt_reaches_its_handler,
    each_interrupt_is_delivered_after_it_was_raised,
    a_line_is_raised_where_the_handler_could_not_run,
    a_handler_may_run_before_it_is_registered,
    all_handlers_of_a_line_are_asked_in_their_order,
    a_level_is_delivered_until_it_is_low,
    a_wait_is_for_the_call_that_had_begun,
    a_wait_in_a_handler_is_refused,
    a_handler_is_told_apart_in_the_table,
    a_handler_starts_a_timer,
    a_panicking_handler_is_as_if_not_there,
    handlers_do_not_overlap,
    a_handler_that_finds_no_memory_is_dropped,
}

/// Everything that is registered.
fn items<P: Platform>(scope: &DriverScope<'_, P>) -> Vec<Inspected> {
    let mut items = Vec::new();
    scope.inspect(|item| items.push(*item));
    items
}

fn counts<P: Platform>(scope: &DriverScope<'_, P>, name: &str) -> (u64, u64) {
    let items = items(scope);
    let item = items.iter().find(|item| item.name.to_string() == name);
    let irq = *item.and_then(Inspected::irq).expect("a handler");
    (irq.handled, irq.not_ours)
}

/// Lets time pass in which nothing is to happen.
fn quietly<P: Platform>(scope: &DriverScope<'_, P>) {
    scope.sleep(5.millis());
}

fn an_interrupt_reaches_its_handler<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let seen = scope.own(AtomicU32::new(0))?;
        let platform = scope.platform();
        let irq = scope.irq(&line, move |cx| {
            assert!(platform.in_callback());
            assert!(cx.now() <= platform.now());
            seen.fetch_add(1, SeqCst);
            IrqReturn::Handled
        })?;
        assert!(irq.is_enabled());
        quietly(scope);
        assert_eq!(seen.load(SeqCst), 0, "nothing was raised");
        line.edge();
        until(scope, || seen.load(SeqCst) == 1);
        quietly(scope);
        assert_eq!(seen.load(SeqCst), 1);
        Ok(())
    });
}

fn each_interrupt_is_delivered_after_it_was_raised<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        // What the device has done, and what of it the handler has seen.
        let done = scope.own(AtomicU32::new(0))?;
        let seen = scope.own(AtomicU32::new(0))?;
        scope.irq(&line, move |_| {
            seen.store(done.load(SeqCst), SeqCst);
            IrqReturn::Handled
        })?;
        thread::scope(|threads| {
            threads.spawn(|| {
                for _ in 0..MANY {
                    done.fetch_add(1, SeqCst);
                    line.edge();
                }
            });
            until(scope, || seen.load(SeqCst) == MANY);
        });
        Ok(())
    });
}

/// A model raises its line in the middle of an access, where the driver may hold the lock that its handler takes.
fn a_line_is_raised_where_the_handler_could_not_run<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let state = scope.own(Lock::<u32, Metered<P>>::new(0))?;
        scope.irq(&line, move |_| {
            *state.lock() += 1;
            IrqReturn::Handled
        })?;
        let held = state.lock();
        line.edge();
        assert_eq!(*held, 0);
        drop(held);
        until(scope, || *state.lock() == 1);
        Ok(())
    });
}

fn a_handler_may_run_before_it_is_registered<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    for _ in 0..rounds(200, 5) {
        line.level(true);
        run_on(&platform, |scope| {
            let seen = scope.own(AtomicU32::new(0))?;
            let mut state = Box::new(41);
            let irq = scope.irq(&line, move |cx| {
                *state += 1;
                // By a node that must be there already.
                cx.irq().disable();
                seen.store(*state, SeqCst);
                IrqReturn::Handled
            })?;
            until(scope, || seen.load(SeqCst) != 0);
            assert_eq!(seen.load(SeqCst), 42);
            assert!(!irq.is_enabled());
            Ok(())
        });
    }
}

fn all_handlers_of_a_line_are_asked_in_their_order<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    let log = Log::default();
    run_on(&platform, |scope| {
        let log = scope.own(log.clone())?;
        for (name, ours) in [("first", false), ("second", true), ("third", false)] {
            scope.named(name).irq(&line, move |_| {
                log.add(name);
                ours.into()
            })?;
        }
        line.edge();
        until(scope, || log.count("third") == 1);
        line.edge();
        until(scope, || log.count("third") == 2);
        // The counters of the last may be behind.
        quietly(scope);
        assert_eq!(
            log.lines(),
            ["first", "second", "third", "first", "second", "third"]
        );
        assert_eq!(counts(scope, "first"), (0, 2));
        assert_eq!(counts(scope, "second"), (2, 0));
        Ok(())
    });
}

fn a_level_is_delivered_until_it_is_low<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let seen = scope.own(AtomicU32::new(0))?;
        let device = scope.own(line.clone())?;
        scope.irq(&line, move |_| {
            if seen.fetch_add(1, SeqCst) + 1 == 5 {
                device.level(false);
            }
            IrqReturn::Handled
        })?;
        line.level(true);
        until(scope, || seen.load(SeqCst) == 5);
        quietly(scope);
        assert_eq!(seen.load(SeqCst), 5);
        Ok(())
    });
}

fn a_wait_is_for_the_call_that_had_begun<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let [inside, done] = [
            scope.own(AtomicBool::new(false))?,
            scope.own(AtomicBool::new(false))?,
        ];
        let irq = scope.irq(&line, move |_| {
            inside.store(true, SeqCst);
            thread::sleep(Duration::from_millis(20));
            done.store(true, SeqCst);
            IrqReturn::Handled
        })?;
        let cx = scope.may_sleep();
        assert_eq!(irq.synchronize(cx), Ok(false), "it does not run");
        scope.platform().clone().meanwhile(|| {
            // Never quiet: the handler is called again at once, and the wait ends all the same.
            line.level(true);
            wait_until(|| inside.load(SeqCst));
            done.store(false, SeqCst);
            if irq.synchronize(cx).unwrap() {
                assert!(done.load(SeqCst));
            }
            irq.disable_sync(cx).unwrap();
            inside.store(false, SeqCst);
            thread::sleep(Duration::from_millis(5));
            assert!(!inside.load(SeqCst));
            line.level(false);
        });
        Ok(())
    });
}

fn a_wait_in_a_handler_is_refused<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let smuggled = Smuggled::new(scope.may_sleep());
        // As long as the scope, which the handler does not outlive.
        // SAFETY: it has no content.
        let smuggled: Smuggled<MaySleep<'static>> = unsafe { mem::transmute(smuggled) };
        let seen = scope.own(AtomicU32::new(0))?;
        let irq = scope.irq(&line, move |cx| {
            let irq = cx.irq();
            assert_eq!(irq.synchronize(smuggled.get()), Err(Error::Deadlock));
            assert_eq!(irq.disable_sync(smuggled.get()), Err(Error::Deadlock));
            assert!(irq.is_enabled());
            seen.fetch_add(1, SeqCst);
            IrqReturn::Handled
        })?;
        line.edge();
        until(scope, || seen.load(SeqCst) == 1);
        assert_eq!(irq.synchronize(scope.may_sleep()), Ok(false));
        Ok(())
    });
}

fn a_handler_is_told_apart_in_the_table<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let seen = scope.own(AtomicU32::new(0))?;
        let irq = scope
            .named("rx")
            .irq(&line, move |_| (seen.fetch_add(1, SeqCst) != 1).into())?;
        for n in 1..=3 {
            line.edge();
            until(scope, || seen.load(SeqCst) == n);
            // The count of the last may be behind.
            until(scope, || {
                let (handled, not_ours) = counts(scope, "rx");
                handled + not_ours == n.into()
            });
        }
        irq.disable();
        let text = items(scope)[0].to_string();
        assert_eq!(text, "irq rx: disabled; 2 handled, 1 not ours");
        let table = scope.table().to_string();
        assert!(table.contains("irq              rx"), "{table}");
        assert!(format!("{irq:?}").contains("rx"));
        Ok(())
    });
}

fn a_handler_starts_a_timer<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let seen = scope.own(AtomicU32::new(0))?;
        let timer = scope.hrtimer(move |_| {
            seen.fetch_add(1, SeqCst);
            Restart::No
        })?;
        scope.irq(&line, move |_| timer.start(100.micros()).is_ok().into())?;
        line.edge();
        until(scope, || seen.load(SeqCst) == 1);
        Ok(())
    });
}

fn a_panicking_handler_is_as_if_not_there<P: TestIrqs>() {
    quiet();
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let line = platform.line();
    let log = platform.log();
    run_on(&platform, |scope| {
        let [bad, good] = [scope.own(AtomicU32::new(0))?, scope.own(AtomicU32::new(0))?];
        scope.named("bad").irq(&line, move |_| {
            bad.fetch_add(1, SeqCst);
            on_purpose("a handler")
        })?;
        scope.irq(&line, move |_| {
            good.fetch_add(1, SeqCst);
            IrqReturn::Handled
        })?;
        for n in 1..=3 {
            line.edge();
            until(scope, || good.load(SeqCst) == n);
        }
        assert_eq!(bad.load(SeqCst), 1);
        assert_eq!(log.count("enter: bad panicked"), 1);
        let items = items(scope);
        assert!(items
            .iter()
            .filter_map(Inspected::irq)
            .any(|irq| irq.panicked));
        Ok(())
    });
}

fn handlers_do_not_overlap<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    run_on(&platform, |scope| {
        let inside = scope.own(AtomicBool::new(false))?;
        let calls = scope.own(AtomicU32::new(0))?;
        // Ordinary memory: each call must see what the one before it wrote.
        let count = Cell::new(0_u32);
        scope.irq(&line, move |_| {
            assert!(!inside.swap(true, SeqCst), "beside itself");
            count.set(count.get() + 1);
            calls.store(count.get(), SeqCst);
            inside.store(false, SeqCst);
            IrqReturn::Handled
        })?;
        thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| (0..MANY).for_each(|_| line.edge()));
            }
        });
        until(scope, || calls.load(SeqCst) > 0);
        Ok(())
    });
}

fn a_handler_that_finds_no_memory_is_dropped<P: TestIrqs>() {
    let platform = Metered::<P>::fresh();
    let line = platform.line();
    let log = Log::default();
    run_on(&platform, |scope| {
        let captured = log.note("handler");
        let large = [0_u8; 1 << 16];
        scope.platform().meter().refuse_above(1 << 15);
        let irq = scope.irq(&line, move |_| {
            let _ = (&captured, &large);
            IrqReturn::None
        });
        assert_eq!(irq.err(), Some(Error::NoMemory));
        assert_eq!(log.lines(), ["drop handler"]);
        scope.platform().meter().refuse_above(0);
        Ok(())
    });
    line.edge();
}

/// A line has the handlers of one platform at a time, so that it has one place from which they are called.
#[test]
fn a_line_of_another_platform_is_refused() {
    let [one, other] = [Sim::new(), Sim::new()];
    let line = IrqLine::new();
    let log = Log::default();
    let on = |platform: &Sim, f: &dyn Fn(Result<(), Error>)| {
        platform.may_sleep(|cx| {
            enter(
                platform.clone(),
                cx,
                &(&line, &log),
                |(line, log), scope| {
                    let captured = log.note("handler");
                    let irq = scope.irq(line, move |_| {
                        let _ = &captured;
                        IrqReturn::Handled
                    });
                    f(irq.map(drop));
                },
            );
        });
    };
    on(&one, &|first| {
        assert_eq!(first, Ok(()));
        on(&other, &|second| {
            assert_eq!(second, Err(Error::Unsupported))
        });
        assert_eq!(log.count("drop handler"), 1);
    });
    on(&other, &|later| assert_eq!(later, Ok(())));
    let host = Host::new().unwrap();
    host.may_sleep(|cx| {
        enter(host.clone(), cx, &line, |line, scope| {
            let seen = scope.own(AtomicU32::new(0))?;
            scope.irq(line, move |_| (seen.fetch_add(1, SeqCst) > 0).into())?;
            line.raise();
            until(scope, || seen.load(SeqCst) == 1);
            Ok::<(), Error>(())
        })
    })
    .unwrap();
}

#[test]
fn a_line_has_no_handlers_after_the_scope() {
    let sim = Sim::new();
    let line = IrqLine::new();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &line, |line, scope| {
            scope.irq(line, |_| IrqReturn::Handled).map(drop).unwrap();
            assert!(format!("{line:?}").contains("handlers: 1"));
        });
    });
    assert!(format!("{line:?}").contains("handlers: 0"));
}

/// A handler made in `probe` can be told apart from the other by the device.
#[test]
fn a_pci_device_has_interrupts() {
    let line = IrqLine::new();
    let device = PciDevice::<Sim>::new(1, 2).with_irq(3, line).unwrap();
    assert!(device.irq(3).is_ok());
    assert_eq!(device.irq(0).err(), Some(Error::NoSuchIrq(0)));
    assert_eq!(device.irq(8).err(), Some(Error::NoSuchIrq(8)));
}

/// On `Sim` interrupts come before what is due at the same instant, and the same test has the same log.
#[test]
fn interrupts_are_deterministic_in_a_sim() {
    let log = || {
        let sim = Sim::with_log();
        let line = IrqLine::new();
        sim.may_sleep(|cx| {
            enter(sim.clone(), cx, &line, |line, scope| {
                scope.irq(line, |_| IrqReturn::Handled)?;
                scope.irq(line, |_| IrqReturn::None)?;
                let timer = scope.hrtimer(move |t| {
                    line.raise();
                    t.forward(1.millis())
                })?;
                timer.start(1.millis())?;
                line.raise();
                scope.sleep(2.millis());
                Ok::<(), Error>(())
            })
        })
        .unwrap();
        sim.log()
    };
    let lines = log();
    assert_eq!(lines, log());
    let called = "interrupt: handler 1 of its line: handled";
    let at = |instant: &str| format!("[{instant}] {called}");
    for instant in ["0.000000000", "0.001000000", "0.002000000"] {
        assert_eq!(
            lines.iter().filter(|&l| *l == at(instant)).count(),
            1,
            "{lines:#?}"
        );
    }
}
