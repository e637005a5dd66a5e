//! Removals that were put off: one after the other, and on platforms of which nobody lets time pass.

use super::common::in_a_callback;
use super::*;

on_every_platform!(a_removal_that_is_put_off_holds_up_no_wait,);

#[test]
fn deferred_removals_of_sim_go_one_after_the_other() {
    let sim = Metered::around(Sim::new());
    one_after_the_other(&sim);
}

#[test]
fn deferred_removals_of_host_go_one_after_the_other() {
    one_after_the_other(&Metered::around(Host::new().unwrap()));
}

/// While one waits for a reader, a callback drops a binding. Its removal waits for a call that lasts longer than that wait.
fn a_removal_that_is_put_off_holds_up_no_wait<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let shelf = Shelf::new();
    let binding = bind(&platform, Device::idle(&platform.log()));
    let port = binding.port().unwrap();
    shelf.put(binding);
    let value = Revocable::new(platform.clone(), 7);
    let [inside, dropped, waited] = [(); 3].map(|()| AtomicBool::new(false));
    thread::scope(|threads| {
        threads.spawn(|| {
            port.call(|_| {
                let guard = value.try_access().unwrap();
                inside.store(true, SeqCst);
                wait_until(|| dropped.load(SeqCst));
                // Long enough for the removal to begin.
                thread::sleep(20.millis());
                drop(guard);
                wait_until(|| waited.load(SeqCst));
            })
            .unwrap();
        });
        wait_until(|| inside.load(SeqCst));
        platform.lend_sleep(|cx| {
            let env = (&shelf, &dropped);
            enter(platform.clone(), cx, &env, |(shelf, dropped), scope| {
                let timer = scope.hrtimer(move |_| {
                    drop(shelf.take());
                    dropped.store(true, SeqCst);
                    Restart::No
                })?;
                timer.start(20.micros())?;
                assert_eq!(value.revoke(cx), Ok(true));
                waited.store(true, SeqCst);
                Ok::<(), Error>(())
            })
            .unwrap();
        });
    });
    drop((port, value));
    until_gone(&platform);
}

/// Three bindings dropped in one callback, while somebody is inside each of them.
fn one_after_the_other<P: TestPlatform>(platform: &Metered<P>) {
    const BINDINGS: usize = 3;
    let bound = || bind(platform, Device::idle(&Log::default()));
    let bindings: Vec<_> = (0..BINDINGS).map(|_| bound()).collect();
    let ports: Vec<_> = bindings.iter().map(|b| b.port().unwrap()).collect();
    let log = platform.log();
    let inside = AtomicU32::new(0);
    let removed = AtomicBool::new(false);
    thread::scope(|threads| {
        for port in &ports {
            threads.spawn(|| {
                port.call(|_| {
                    inside.fetch_add(1, SeqCst);
                    wait_until(|| removed.load(SeqCst));
                    // Long enough for the others to begin, if they do.
                    thread::sleep(20.millis());
                })
                .unwrap();
            });
        }
        wait_until(|| inside.load(SeqCst) as usize == BINDINGS);
        let shelf = Mutex::new(Some(bindings));
        platform.lend_sleep(|cx| {
            enter(
                platform.clone(),
                cx,
                &(&shelf, &removed),
                |(shelf, removed), scope| {
                    let timer = scope.hrtimer(move |_| {
                        drop(shelf.lock().unwrap().take());
                        removed.store(true, SeqCst);
                        Restart::No
                    })?;
                    timer.start(0.nanos())?;
                    until(scope, || removed.load(SeqCst));
                    Ok::<(), Error>(())
                },
            )
            .unwrap();
        });
    });
    let of_driver = |what: &str| {
        let lines = log.lines();
        lines
            .iter()
            .filter(|line| line.ends_with(what) && line.contains("Patient"))
            .count()
    };
    wait_until(|| {
        platform.lend_sleep(|cx| platform.sleep(cx, 100.micros()));
        of_driver(": done") == BINDINGS
    });
    let lines = log.lines();
    let steps: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("Patient"))
        .filter_map(|line| {
            [": gate", ": done"]
                .into_iter()
                .find(|step| line.ends_with(step))
        })
        .collect();
    assert_eq!(steps, [": gate", ": done"].repeat(BINDINGS));
}

/// Nobody lets time pass in the world of a binding that is dropped in a callback of another world; it is removed all the same.
#[test]
fn a_binding_of_another_sim_is_removed_although_its_time_stands_still() {
    let (here, there) = (Metered::<Sim>::fresh(), Metered::<Sim>::fresh());
    let log = there.log();
    let bound = bind(&there, Device::idle(&log));
    drop(there);
    in_a_callback(&here, || drop(bound));
    wait_until(|| log.count("drop device") == 1);
}

/// The removal that a callback on one platform defers meets a running callback on another: it waits, and none comes after it.
///
/// Seen to fail when `shut` does not wait.
#[test]
fn a_removal_deferred_across_platforms_waits_for_a_running_callback() {
    for _ in 0..rounds(30, 3) {
        let (here, there) = (Sim::fresh(), Metered::<Host>::fresh());
        let log = there.log();
        // Long enough to be in the callback, most likely, when the removal comes.
        let callback = || {
            thread::sleep(500.micros());
            false
        };
        let bound = bind(&there, Device::new(&log, callback));
        bound.with(|timer| timer.start(0.nanos())).unwrap();
        wait_until(|| log.count("tick") > 1);
        in_a_callback(&here, || drop(bound));
        wait_until(|| log.count("drop device") == 1);
        // Time for a callback that was not waited for to go on.
        thread::sleep(1.millis());
        let lines = log.lines();
        let dropped = lines.iter().position(|line| line == "drop captured");
        let late = &lines[dropped.expect("the captured note is dropped")..];
        assert!(
            !late.iter().any(|line| line == "tick" || line == "tock"),
            "{late:?}"
        );
    }
}
