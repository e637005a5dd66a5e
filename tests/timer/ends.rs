//! Timers and the end of their scope.

use super::*;

on_every_platform!(the_end_of_the_scope_cancels_and_waits,);

fn the_end_of_the_scope_cancels_and_waits<P: TestPlatform>() {
    // Outlives the scope, so that it can be seen that nothing runs on.
    let gate = Arc::new(Gate::default());
    let platform = Metered::<P>::fresh();
    platform.meanwhile(|| {
        run_on(&platform, |scope| {
            scope
                .named("armed")
                .hrtimer(|_| panic!("it was cancelled"))?
                .start(NEVER.secs())?;
            let running = scope.named("running").hrtimer({
                let gate = Arc::clone(&gate);
                move |t| {
                    gate.pass();
                    t.restart_after(0.nanos())
                }
            })?;
            running.start(0.nanos())?;
            wait_until(|| gate.inside.load(SeqCst));
            let gate = Arc::clone(&gate);
            scope.on_remove(move |_| {
                // Some time after the teardown has begun: when it waits, also on a machine that is busy.
                thread::spawn(move || {
                    thread::sleep(300.millis());
                    gate.open.store(true, SeqCst);
                });
            })
        });
        let passed = gate.passed.load(SeqCst);
        assert!(passed > 0 && !gate.inside.load(SeqCst));
        thread::sleep(3.millis());
        assert_eq!(gate.passed.load(SeqCst), passed);
    });
    let log = platform.log();
    assert_eq!(
        log.count("enter: hrtimer running: was running, waited for"),
        1
    );
}

/// The same, with a teardown that comes while both are inside.
#[test]
fn a_teardown_waits_for_all_entries_of_a_timer() {
    let foreign = Foreign::with_processors(2);
    let platform = Metered::around(foreign.clone());
    for _ in 0..20 {
        run_on(&platform, |scope| {
            let fired = scope.own(AtomicU32::new(0))?;
            let (timer, vacant) = scope.vacant_hrtimer()?;
            vacant.set(scope, move |t| {
                let _ = timer.start(0.nanos());
                fired.fetch_add(1, SeqCst);
                thread::sleep(100.micros());
                let _ = timer.start(0.nanos());
                t.restart_after(0.nanos())
            })?;
            timer.start(0.nanos())?;
            until(scope, || fired.load(SeqCst) > 5);
            Ok(())
        });
    }
    assert_eq!(foreign.most_at_once(), 2);
}
