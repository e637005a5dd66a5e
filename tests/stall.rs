//! A wait for a callback that does not end is reported, with the name of what is waited for (trap 16).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use driver_scope::event::Event;
use driver_scope::platform::Host;
use driver_scope::{enter, Error, Units};

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
