//! Registering goes on while a driver is bound.

use super::*;

on_every_platform!(
    a_driver_registers_more_while_it_is_bound,
    two_threads_register_at_once,
);

fn a_driver_registers_more_while_it_is_bound<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let binding = bind(&platform, Device::idle(&log));
    platform.lend_sleep(|cx| {
        binding.with_scope(cx, |timer, scope| {
            let timer = *timer;
            let note = log.note("later");
            scope.own(log.note("owned later")).unwrap();
            scope
                .hrtimer(move |_| {
                    note.log().add("later ticks");
                    timer.start(0.nanos()).unwrap();
                    Restart::No
                })
                .unwrap()
                .start(0.nanos())
                .unwrap();
            until(scope, || log.count("tock") == 1);
        });
        assert_eq!(log.count("drop later"), 0);
        // A panic in it is the caller's, and ends nothing.
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            binding.with_scope(cx, |_, scope| {
                scope.own(log.note("owned last")).unwrap();
                on_purpose("with_scope")
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(log.count("drop owned last"), 0);
        assert!(binding.unbind(cx).is_ok());
    });
    platform.assert_at_rest();
    let dropped: Vec<_> = log
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("drop "))
        .collect();
    let expected = [
        "drop later",
        "drop captured",
        "drop owned last",
        "drop owned later",
        "drop owned",
        "drop device",
    ];
    assert_eq!(dropped, expected);
}

fn two_threads_register_at_once<P: TestPlatform>() {
    const EACH: usize = rounds(100, 10);
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let binding = bind(&platform, Device::idle(&log));
    platform.meanwhile(|| {
        thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    for _ in 0..EACH {
                        platform.lend_sleep(|cx| {
                            binding.with_scope(cx, |_, scope| {
                                let number = scope.alloc(7_u32).unwrap();
                                let owned = scope.own(log.note("own")).unwrap();
                                let note = log.note("timer");
                                let timer = scope
                                    .hrtimer(move |_| {
                                        assert_eq!(*number, 7);
                                        note.log().add("timer ticks");
                                        Restart::No
                                    })
                                    .unwrap();
                                timer.start(0.nanos()).unwrap();
                                scope.on_remove(move |_| owned.log().add("hook")).unwrap();
                            });
                        });
                    }
                });
            }
        });
        wait_until(|| log.count("timer ticks") == 2 * EACH);
    });
    drop(binding);
    platform.assert_at_rest();
    for line in ["hook", "drop timer", "drop own"] {
        assert_eq!(log.count(line), 2 * EACH, "{line}");
    }
}
