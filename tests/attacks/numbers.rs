//! Numbers that stand for nothing.

use std::io;

use driver_scope::platform::{Emulated, EmulatedDma, Host};
use driver_scope::timer::queue::Monitor;
use driver_scope::Platform;

#[test]
fn more_threads_than_can_be_numbered_are_refused() {
    for threads in [1025, 1 << 46, usize::MAX] {
        let refused = Host::builder().timer_threads(threads);
        let built = refused.build::<Emulated, EmulatedDma>();
        let error = built.expect_err("too many");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let why = "a host has no more than 1024 timer threads";
        assert_eq!(error.to_string(), why);
    }
}

/// Anybody can tell it anything.
#[test]
fn the_alarm_of_a_queue_that_is_not_there_wakes_nobody() {
    let host = Host::new().unwrap();
    for queue in [0, 1, 6, 7, usize::MAX] {
        Platform::timers(&host).alarm(queue);
    }
}
