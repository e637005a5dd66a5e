//! What time does on `Sim` while somebody waits: what passes in a pause between two looks.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use driver_scope::platform::{Platform, Sim};
use driver_scope::{enter, Instant, MaySleep, Restart, Units};

/// A look so late that the pause before it sleeps.
const LATE: u32 = 300;

/// More calls than any that could be made at one instant, each at its own.
#[test]
fn a_pause_hurries_nobody() {
    let sim = Sim::new();
    let (calls, late) = (AtomicU32::new(0), AtomicU32::new(0));
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(&calls, &late), |(calls, late), scope| {
            let timer = scope
                .hrtimer(move |t| {
                    calls.fetch_add(1, SeqCst);
                    if t.now() != t.expires() {
                        late.fetch_add(1, SeqCst);
                    }
                    t.restart_after(1.micros())
                })
                .unwrap();
            timer.start(1.micros()).unwrap();
            for _ in 0..2 {
                sim.pause(scope.may_sleep(), LATE);
            }
        });
    });
    assert!(calls.into_inner() > 3000, "the pauses let that much pass");
    assert_eq!(late.into_inner(), 0);
    assert!(sim.now() >= Instant::from_nanos(3_000_000));
}

/// First it spins, then it lets others go, then it sleeps: longer and longer, up to an end.
#[test]
fn pauses_grow() {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |(), scope| {
            let lengths = [191, 192, 199, 200, 215, 232, 240, 1000].map(|round| {
                let begun = sim.now();
                sim.pause(scope.may_sleep(), round);
                (
                    round,
                    sim.now().saturating_duration_since(begun).as_micros(),
                )
            });
            let grown = [
                (191, 0),
                (192, 50),
                (199, 50),
                (200, 100),
                (215, 200),
                (232, 1600),
                (240, 1600),
                (1000, 1600),
            ];
            assert_eq!(lengths, grown);
        });
    });
}

/// Of two threads, one is in a timer's callback, for which time stands still: work waits for its end, also that which somebody waits for.
#[test]
fn who_flushes_does_the_work_beside_no_callback() {
    let sim = Sim::new();
    let [running, flushing] = [const { AtomicBool::new(false) }; 2];
    let [done, beside] = [const { AtomicU32::new(0) }; 2];
    let elsewhere = sim.clone();
    thread::scope(|threads| {
        sim.may_sleep(|cx| {
            let shared = (&running, &flushing, &done, &beside);
            enter(sim.clone(), cx, &shared, |shared, scope| {
                let &(running, flushing, done, beside) = shared;
                let work = scope
                    .work(move |_| {
                        beside.fetch_add(running.load(SeqCst).into(), SeqCst);
                        done.fetch_add(1, SeqCst);
                        Restart::No
                    })
                    .unwrap();
                let timer = scope
                    .hrtimer(move |_| {
                        running.store(true, SeqCst);
                        while !flushing.load(SeqCst) {
                            thread::sleep(Duration::from_millis(1));
                        }
                        // What would be done beside this is done by then.
                        thread::sleep(Duration::from_millis(50));
                        running.store(false, SeqCst);
                        Restart::No
                    })
                    .unwrap();
                timer.start(1.millis()).unwrap();
                threads.spawn(move || elsewhere.advance(2.millis()));
                while !running.load(SeqCst) {
                    thread::sleep(Duration::from_millis(1));
                }
                work.queue().unwrap();
                flushing.store(true, SeqCst);
                work.flush(scope.may_sleep()).unwrap();
                assert_eq!((done.load(SeqCst), beside.load(SeqCst)), (1, 0));
            });
        });
    });
}

/// Nothing falls due in the first rounds, which only spin.
#[test]
fn a_short_pause_lets_no_time_pass() {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |(), scope| {
            let calls = scope.own(AtomicU32::new(0)).unwrap();
            let timer = scope
                .hrtimer(|_| {
                    calls.fetch_add(1, SeqCst);
                    Restart::No
                })
                .unwrap();
            timer.start(0.nanos()).unwrap();
            sim.pause(scope.may_sleep(), 0);
            assert_eq!(calls.load(SeqCst), 0);
            sim.pause(scope.may_sleep(), LATE);
            assert_eq!(calls.load(SeqCst), 1);
        });
    });
}

/// A wait that comes to be in a callback all the same goes on without time.
#[test]
fn a_pause_in_a_callback_lets_no_time_pass() {
    let sim = Sim::new();
    let seen = AtomicU32::new(0);
    let world = sim.clone();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(&seen, &world), |(seen, world), scope| {
            let timer = scope
                .hrtimer(move |t| {
                    // SAFETY: a lie as to sleeping, which is what is tested: `pause` asks for nothing but this. It touches no memory.
                    world.pause(unsafe { MaySleep::assume() }, LATE);
                    assert_eq!(world.now(), t.now());
                    seen.fetch_add(1, SeqCst);
                    Restart::No
                })
                .unwrap();
            timer.start(1.micros()).unwrap();
            scope.platform().advance(1.millis());
        });
    });
    assert_eq!(seen.into_inner(), 1);
}
