//! A `Host` with nothing due uses no processor time: no polling, no busy waiting. Alone in its program, since it measures the
//! whole process.
#![cfg(all(target_os = "linux", not(miri)))] // Miri has no /proc, and is never idle.

use std::fs;
use std::time::Duration;

use driver_scope::platform::Host;
use driver_scope::{enter, Error, Units};

/// Processor time of all threads of this process so far.
fn processor_time() -> Duration {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let nanos = threads.map(|thread| {
        let path = thread.unwrap().path().join("schedstat");
        let text = fs::read_to_string(path).unwrap_or_default();
        // The first number is the time spent on the processor, in nanoseconds (proc(5)).
        let first = text.split_whitespace().next().unwrap_or("0").to_owned();
        first.parse::<u64>().unwrap()
    });
    Duration::from_nanos(nanos.sum())
}

#[test]
fn a_host_with_nothing_due_is_idle() {
    let host = Host::new().unwrap();
    host.may_sleep(|cx| {
        enter(host.clone(), cx, &(), |(), scope| {
            let assert_idle = |when: &str| {
                scope.sleep(50.millis());
                let before = processor_time();
                assert!(
                    before > Duration::ZERO,
                    "the system does not tell the processor time"
                );
                scope.sleep(400.millis());
                let used = processor_time() - before;
                assert!(
                    used < Duration::from_millis(40),
                    "{used:?} of 400 ms {when}"
                );
            };
            assert_idle("without a timer");
            let timer = scope.hrtimer(|t| t.forward(1.secs()))?;
            timer.start(100.secs())?;
            assert_idle("with a timer that is not due");
            Ok::<(), Error>(())
        })
    })
    .unwrap();
}
