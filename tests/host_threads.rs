//! A `Host` that is gone leaves no threads behind. (Alone in its program: it counts those of the process.)
#![cfg(target_os = "linux")]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use driver_scope::platform::{Host, IrqLine};
use driver_scope::{enter, Clock, Error, IrqReturn, Restart, TimerMode, Units};

fn threads() -> usize {
    fs::read_dir("/proc/self/task").expect("Linux").count()
}

#[test]
fn threads_end_with_their_host() {
    let before = threads();
    for _ in 0..3 {
        let host = Host::new().unwrap();
        let line = IrqLine::new();
        host.may_sleep(|cx| {
            enter(host.clone(), cx, &line, |line, scope| {
                // One thread for each kind of timer, and one for interrupts.
                scope.irq(line, |_| IrqReturn::Handled)?;
                scope.hrtimer(|_| Restart::No)?.start(1.micros())?;
                let real_time = TimerMode::new().clock(Clock::RealTime);
                scope.hrtimer_with(real_time, |_| Restart::No)?;
                scope.work(|_| Restart::No)?.queue()?;
                Ok::<(), Error>(())
            })
        })
        .unwrap();
        assert!(threads() > before);
    }
    // They are not waited for; they end soon.
    let patience = Instant::now() + Duration::from_secs(60);
    while threads() > before {
        assert!(
            Instant::now() < patience,
            "{} threads, {before} before",
            threads()
        );
        thread::sleep(Duration::from_millis(5));
    }
}
