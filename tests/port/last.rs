//! The last port, after everything else has gone.

use super::*;

pub fn the_last_port_may_outlive_everything<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (binding, port) = bind(&platform);
    remove(binding);
    // Everything but the gates is back.
    assert_eq!(platform.meter().live(), 1);
    let (log, weak) = (platform.log(), platform.weak());
    drop(platform);
    let last = thread::spawn(move || {
        let last = port.clone();
        drop(port);
        assert_eq!(last.call(|data| data.check()), Err(Error::Gone));
        last
    });
    let last = last.join().unwrap();
    let meter = weak.upgrade().expect("the port has a platform");
    drop(last);
    assert_eq!(meter.live(), 0);
    drop(meter);
    assert!(weak.upgrade().is_none());
    assert_eq!(log.count("drop data"), 1);
}

pub fn the_last_port_may_go_in_a_callback<P: TestPlatform>() {
    // Of the same world, and of another when its own has no other handle.
    for elsewhere in [false, true] {
        let platform = Metered::<P>::fresh();
        platform.meter().log_memory.store(true, SeqCst);
        let (binding, port) = bind(&platform);
        remove(binding);
        let (log, weak) = (platform.log(), platform.weak());
        let blocks = log.count("memory is given back");
        let last = Mutex::new(Some(port));
        let goes = || {
            drop(last.lock().unwrap().take());
            log.add("the callback ends");
        };
        if elsewhere {
            drop(platform);
            in_a_callback(&P::fresh(), goes);
            wait_until(|| weak.upgrade().is_none());
        } else {
            // Memory cannot be given back in a callback.
            in_a_callback(&platform, || {
                platform.meter().log_memory.store(false, SeqCst);
                let live = platform.meter().live();
                goes();
                if !P::REAL_TIME {
                    // Here the same thread does it, later.
                    assert_eq!(platform.meter().live(), live);
                }
            });
            wait_until(|| platform.meter().live() == 0);
            platform.assert_at_rest();
            continue;
        }
        assert_eq!(log.count("the callback ends"), 1);
        wait_until(|| log.count("memory is given back") == blocks + 1);
    }
}

/// The deferred call is over, and the platform in the block with it, before `defer` returns.
pub fn the_last_port_takes_no_platform_with_it_too_early<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.meter().defer_at_once.store(true, SeqCst);
    let (binding, port) = bind(&platform);
    remove(binding);
    in_a_callback(&platform, || drop(port));
    wait_until(|| platform.meter().live() == 0);
    platform.assert_at_rest();
}
