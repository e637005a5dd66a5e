//! A wait for a callback that does not end is reported, with the name of what is waited for (trap 16).

use std::env;
use std::fs::OpenOptions;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use driver_scope::event::Event;
use driver_scope::platform::{Host, IrqLine, Sim};
use driver_scope::{enter, Error, IrqReturn, Restart, Units};

#[test]
fn a_wait_that_lasts_is_reported_by_name() {
    let stalls = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&stalls);
    let host = Host::with_tracer(move |event| {
        if let Event::Stalled { name, .. } = event {
            tell.lock().unwrap().push(name.to_string());
        }
    })
    .unwrap();

    let running = AtomicBool::new(false);
    let told = Arc::clone(&stalls);
    host.may_sleep(|cx| {
        enter(host.clone(), cx, &running, |running, scope| {
            // Runs until the stall has been told twice: once by `cancel`, once by the teardown.
            let wanted = scope.own(Mutex::new(1))?;
            let stubborn = scope.named("stubborn").hrtimer(move |t| {
                running.store(true, Ordering::Release);
                let patience = Instant::now() + Duration::from_secs(30);
                let wanted = *wanted.lock().unwrap();
                while told.lock().unwrap().len() < wanted && Instant::now() < patience {
                    thread::sleep(Duration::from_millis(10));
                }
                t.restart_after(1.micros())
            })?;
            stubborn.start(1.micros())?;
            while !running.load(Ordering::Acquire) {
                scope.sleep(1.millis());
            }
            assert_eq!(stubborn.cancel(scope.may_sleep()), Ok(true));
            assert_eq!(*stalls.lock().unwrap(), ["stubborn"]);

            *wanted.lock().unwrap() = 2;
            running.store(false, Ordering::Release);
            stubborn.start(1.micros())?;
            while !running.load(Ordering::Acquire) {
                scope.sleep(1.millis());
            }
            Ok::<(), Error>(())
        })
    })
    .unwrap();
    assert_eq!(*stalls.lock().unwrap(), ["stubborn", "stubborn"]);
}

/// Set in the environment of a child process, to what is to wait there.
const CHILD: &str = "DRIVER_SCOPE_STALL_CHILD";

/// Lasts until a wait has been told, or there was time enough for it.
fn wait_until_told(sim: &Sim) {
    let patience = Instant::now() + Duration::from_secs(4);
    let told = |line: &String| line.contains("still waiting");
    while !sim.log().iter().any(told) && Instant::now() < patience {
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether what the callback captured has been dropped.
static DROPPED: AtomicBool = AtomicBool::new(false);

struct Captured;

impl Drop for Captured {
    fn drop(&mut self) {
        DROPPED.store(true, Ordering::SeqCst);
    }
}

/// The child: not a check of its own, but what the last test runs.
#[test]
fn child() {
    let Ok(waits) = env::var(CHILD) else {
        return;
    };
    if waits == "host" {
        return on_host();
    }
    let sim = Sim::with_log();
    let begun = AtomicBool::new(false);
    let (elsewhere, here) = (sim.clone(), sim.clone());
    thread::scope(|threads| {
        let ended = sim.may_sleep(|cx| {
            enter(sim.clone(), cx, &begun, |begun, scope| {
                let captured = Captured;
                let work = scope.named("slow").work(move |_| {
                    let _captured = &captured;
                    begun.store(true, Ordering::SeqCst);
                    wait_until_told(&here);
                    assert!(!DROPPED.load(Ordering::SeqCst), "dropped while it runs");
                    Restart::No
                })?;
                work.queue()?;
                let advanced = threads.spawn(move || elsewhere.advance(1.secs()));
                while !begun.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(1));
                }
                if waits == "flush" {
                    assert_eq!(work.flush(scope.may_sleep()), Ok(true));
                    advanced.join().unwrap();
                }
                Ok::<(), Error>(())
            })
        });
        assert_eq!(ended, Ok(()));
    });
    let log = sim.log();
    assert!(log.iter().any(|l| l.contains("still waiting for slow")));
    assert!(!log.iter().any(|l| l.contains("panicked")), "{log:#?}");
    assert!(DROPPED.load(Ordering::SeqCst));
}

/// A `Host` without a tracer of its own, whose report of a wait is written while it waits.
fn on_host() {
    let host = Host::new().unwrap();
    let begun = AtomicBool::new(false);
    let ended = host.may_sleep(|cx| {
        enter(host.clone(), cx, &begun, |begun, scope| {
            let captured = Captured;
            let timer = scope.named("slow").hrtimer(move |_| {
                let _captured = &captured;
                begun.store(true, Ordering::SeqCst);
                // Nobody else can say when it has been told: after a second.
                thread::sleep(Duration::from_millis(1500));
                assert!(!DROPPED.load(Ordering::SeqCst), "dropped while it runs");
                DONE.store(true, Ordering::SeqCst);
                Restart::No
            })?;
            timer.start(1.micros())?;
            while !begun.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            Ok::<(), Error>(())
        })
    });
    assert_eq!(ended, Ok(()));
    assert!(DONE.load(Ordering::SeqCst) && DROPPED.load(Ordering::SeqCst));
}

/// Whether the callback has come to its end, whose panic nobody would hear of.
static DONE: AtomicBool = AtomicBool::new(false);

/// Nothing can be written to standard error: the teardown goes on waiting all the same, and `flush`, whose own timer lies on its stack.
#[cfg(target_os = "linux")]
#[test]
fn a_wait_that_cannot_be_told_goes_on() {
    let program = env::current_exe().unwrap();
    let children = ["teardown", "flush", "host"].map(|waits| {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let child = Command::new(&program)
            .args(["--exact", "child", "--quiet", "--nocapture"])
            .env(CHILD, waits)
            .stderr(full)
            .spawn();
        (waits, child.unwrap())
    });
    for (waits, mut child) in children {
        let status = child.wait().unwrap();
        assert!(status.success(), "{waits}: {status}");
    }
}

#[test]
fn a_wait_for_a_handler_is_reported_by_name() {
    let stalls = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&stalls);
    let host = Host::with_tracer(move |event| {
        if let Event::Stalled { name, .. } = event {
            tell.lock().unwrap().push(name.to_string());
        }
    })
    .unwrap();
    let line = IrqLine::new();
    let running = AtomicBool::new(false);
    let told = Arc::clone(&stalls);
    host.may_sleep(|cx| {
        enter(host.clone(), cx, &running, |running, scope| {
            let stubborn = scope.named("stubborn").irq(&line, move |_| {
                running.store(true, Ordering::Release);
                let patience = Instant::now() + Duration::from_secs(30);
                while told.lock().unwrap().is_empty() && Instant::now() < patience {
                    thread::sleep(Duration::from_millis(10));
                }
                IrqReturn::Handled
            })?;
            line.raise();
            while !running.load(Ordering::Acquire) {
                scope.sleep(1.millis());
            }
            assert_eq!(stubborn.synchronize(scope.may_sleep()), Ok(true));
            Ok::<(), Error>(())
        })
    })
    .unwrap();
    assert_eq!(*stalls.lock().unwrap(), ["stubborn"]);
}
