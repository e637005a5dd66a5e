use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::*;

#[test]
fn the_delays_are_configured() {
    let rig = Rig::with(EduConfig {
        compute: Duration::from_nanos(3),
        transfer: Duration::from_nanos(5),
        ..EduConfig::default()
    });
    rig.set(1000);
    rig.put(FACTORIAL, 5);
    rig.put(COMMAND, 1);
    assert_eq!(rig.model.next_event(), Some(1003));
    rig.set(1003);
    assert_eq!(rig.model.next_event(), Some(1005));
    rig.set(1005);
    assert_eq!(rig.model.next_event(), None);
}

#[test]
fn without_a_delay_a_computation_is_done_at_the_next_look() {
    let rig = Rig::with(EduConfig {
        compute: Duration::ZERO,
        ..EduConfig::default()
    });
    rig.put(FACTORIAL, 5);
    assert_eq!((rig.get(STATUS), rig.get(FACTORIAL)), (0, 120));
}

#[test]
fn an_endless_delay_does_not_overflow() {
    let rig = Rig::with(EduConfig {
        compute: Duration::MAX,
        ..EduConfig::default()
    });
    rig.set(1);
    rig.put(FACTORIAL, 5);
    assert_eq!(rig.model.next_event(), Some(u64::MAX));
    assert!(rig.model.is_computing());
}

#[test]
fn an_earlier_time_does_not_take_back_what_was_seen() {
    let rig = Rig::new();
    rig.put(FACTORIAL, 5);
    rig.set(COMPUTE);
    assert_eq!(rig.get(STATUS), 0);
    rig.set(10);
    assert_eq!((rig.get(STATUS), rig.get(FACTORIAL)), (0, 120));
    // A computation started with an old time counts from the latest time seen.
    rig.put(FACTORIAL, 3);
    assert_eq!(rig.model.next_event(), Some(2 * COMPUTE));
}

#[test]
fn the_clock_may_use_the_model() {
    static MODEL: OnceLock<EduModel> = OnceLock::new();
    static INSIDE: Mutex<bool> = Mutex::new(false);
    let clock = || {
        let first = !std::mem::replace(&mut *INSIDE.lock().unwrap(), true);
        if first {
            assert_eq!(MODEL.get().unwrap().read(ID, 4), 0x0100_00ed);
            *INSIDE.lock().unwrap() = false;
        }
        0
    };
    let model = MODEL.get_or_init(|| EduModel::new(clock, EduConfig::default()));
    assert_eq!(model.read(ID, 4), 0x0100_00ed);
}

#[test]
fn a_panicking_clock_leaves_the_model_usable() {
    let rig = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&rig);
    let model = EduModel::new(
        move || match clock.load(Ordering::SeqCst) {
            7 => panic!("no time"),
            time => time,
        },
        EduConfig::default(),
    );
    rig.store(7, Ordering::SeqCst);
    let read = std::panic::AssertUnwindSafe(|| model.read(ID, 4));
    assert!(std::panic::catch_unwind(read).is_err());
    rig.store(8, Ordering::SeqCst);
    assert_eq!(model.read(ID, 4), 0x0100_00ed);
}

#[test]
fn it_runs_in_real_time_and_is_shared_between_threads() {
    let start = Instant::now();
    let model = EduModel::new(
        move || u64::try_from(start.elapsed().as_nanos()).unwrap(),
        EduConfig::default(),
    );
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    model.write(FACTORIAL, 4, 5);
                    while model.is_computing() {
                        std::thread::yield_now();
                    }
                }
            });
        }
    });
    assert_eq!(model.read(FACTORIAL, 4), 120);
    assert_eq!(model.accesses().writes, 200);
}
