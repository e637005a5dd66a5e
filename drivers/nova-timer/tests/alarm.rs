//! The alarm: at its time, and never after the remove.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::Arc;
use std::time::Duration;

use driver_scope::platform::{Emulated, Host, Platform, Sim};
use driver_scope::{Binding, Error, MaySleep, Units};
use nova_timer::{Alarm, NovaTimer, Ring, END, TICK};
use nova_timer_model::NovaModel;

/// Leaks a value; checkers pass over what is leaked by this function (`xtask/src/sanitize/known.txt`).
#[inline(never)]
fn leaked_on_purpose<T>(value: T) {
    mem::forget(Box::new(value));
}

/// Where the device's counter is at the platform's zero: 1 ms before a carry.
const EPOCH: u64 = (9 << 32) - 1_000_000;

fn bind<P: Platform<Bus = Emulated>>(
    platform: &P,
    model: &Arc<NovaModel>,
    cx: MaySleep<'_>,
) -> Binding<NovaTimer, P> {
    Binding::bind(platform.clone(), model.pci_device().unwrap(), cx).unwrap()
}

/// The driver on a device that counts as fast as the platform, times `speed` percent.
fn bound(speed: u64) -> (Sim, Arc<NovaModel>, Binding<NovaTimer, Sim>) {
    let sim = Sim::with_log();
    let clock = sim.clone();
    let counter = move || EPOCH + clock.now().as_nanos() * speed / 100;
    let model = Arc::new(NovaModel::new(counter));
    let bound = sim.may_sleep(|cx| bind(&sim, &model, cx));
    (sim, model, bound)
}

fn alarm<R>(bound: &Binding<NovaTimer, Sim>, f: impl for<'drv> FnOnce(Alarm<'drv, Sim>) -> R) -> R {
    bound.with(|nova| f(nova.alarm))
}

#[test]
fn it_rings_at_its_time() {
    // Before, at and after the carry; on a tick and off it.
    for after in [32, 33, 640_000, 1_000_000, 1_000_001, 2_500_000, 70] {
        let (sim, _, bound) = bound(100);
        let due = EPOCH + after;
        alarm(&bound, |alarm| alarm.set(due)).unwrap();
        let at = due.next_multiple_of(TICK);
        sim.advance(Duration::from_nanos(at - EPOCH - 1));
        assert_eq!(alarm(&bound, |alarm| alarm.last()), None, "{after} ns");
        assert!(alarm(&bound, |alarm| alarm.is_set()));
        sim.advance(1.nanos());
        assert_eq!(
            alarm(&bound, |alarm| alarm.last()),
            Some(Ok(Ring { due, at }))
        );
        assert!(!alarm(&bound, |alarm| alarm.is_set()));
    }
}

#[test]
fn it_rings_at_once_for_a_time_that_is_past() {
    let (sim, _, bound) = bound(100);
    sim.advance(5.millis());
    alarm(&bound, |alarm| alarm.set(17)).unwrap();
    sim.advance(0.nanos());
    let at = EPOCH + 5_000_000;
    assert_eq!(
        alarm(&bound, |alarm| alarm.last()),
        Some(Ok(Ring { due: 17, at }))
    );
}

#[test]
fn it_waits_for_a_slow_device() {
    let (sim, model, bound) = bound(40);
    let due = EPOCH + 2_000_000;
    alarm(&bound, |alarm| alarm.set(due)).unwrap();
    let accesses = model.accesses();
    sim.advance(4999.micros());
    assert_eq!(alarm(&bound, |alarm| alarm.last()), None);
    sim.advance(10.micros());
    let ring = alarm(&bound, |alarm| alarm.last()).unwrap().unwrap();
    // As late as the pause between two looks.
    assert!(ring.at >= due && ring.at < due + 1000, "{ring:?}");
    let looks = (model.accesses() - accesses) / 3;
    assert!(looks < 30, "{looks} looks");
}

#[test]
fn it_looks_seldom_at_a_device_that_stands() {
    let (sim, model, bound) = bound(0);
    alarm(&bound, |alarm| alarm.set(EPOCH + TICK)).unwrap();
    let accesses = model.accesses();
    sim.advance(1.millis());
    assert_eq!(alarm(&bound, |alarm| alarm.last()), None);
    let looks = (model.accesses() - accesses) / 3;
    assert!((900..=1001).contains(&looks), "{looks} looks in 1000 µs");
}

#[test]
fn a_new_time_replaces_the_old_one() {
    for (first, second) in [(300_000, 500_000), (500_000, 300_000)] {
        let (sim, _, bound) = bound(100);
        alarm(&bound, |alarm| alarm.set(EPOCH + first)).unwrap();
        sim.advance(100.micros());
        alarm(&bound, |alarm| alarm.set(EPOCH + second)).unwrap();
        sim.advance(1.millis());
        let ring = alarm(&bound, |alarm| alarm.last()).unwrap().unwrap();
        assert_eq!(ring.at, (EPOCH + second).next_multiple_of(TICK));
    }
}

#[test]
fn one_that_is_taken_back_does_not_ring() {
    let (sim, model, bound) = bound(100);
    alarm(&bound, |alarm| alarm.set(EPOCH + 300_000)).unwrap();
    alarm(&bound, |alarm| alarm.clear());
    assert!(!alarm(&bound, |alarm| alarm.is_set()));
    let accesses = model.accesses();
    sim.advance(10.millis());
    assert_eq!(alarm(&bound, |alarm| alarm.last()), None);
    assert_eq!(model.accesses(), accesses, "nobody looks");
}

#[test]
fn a_time_that_never_comes_is_refused() {
    let (sim, _, bound) = bound(100);
    alarm(&bound, |alarm| alarm.set(EPOCH + 3200)).unwrap();
    for never in [END + 1, u64::MAX] {
        let refused = alarm(&bound, |alarm| alarm.set(never));
        assert_eq!(refused, Err(Error::TimeOverflow));
    }
    // And the one before stands.
    sim.advance(10.millis());
    assert!(alarm(&bound, |alarm| alarm.last()).is_some());
    alarm(&bound, |alarm| alarm.set(END)).unwrap();
    assert!(alarm(&bound, |alarm| alarm.is_set()));
}

#[test]
fn it_ends_with_its_device() {
    let (sim, model, bound) = bound(100);
    alarm(&bound, |alarm| alarm.set(EPOCH + 300_000)).unwrap();
    model.unplug();
    sim.advance(1.millis());
    assert_eq!(alarm(&bound, |alarm| alarm.last()), Some(Err(Error::Gone)));
    assert!(!alarm(&bound, |alarm| alarm.is_set()));
    let refused = alarm(&bound, |alarm| alarm.set(EPOCH + 5_000_000));
    assert_eq!(refused, Err(Error::Gone));
    let accesses = model.accesses();
    sim.advance(1.secs());
    assert_eq!(model.accesses(), accesses, "nobody looks any more");
}

/// Nothing cancels it but the scope: the handles are forgotten, together with a timer of somebody else in the driver's world that uses them.
#[test]
fn the_scope_cancels_it_whatever_was_forgotten() {
    let (sim, model, bound) = bound(100);
    sim.may_sleep(|cx| {
        bound.with_scope(cx, |nova, scope| {
            let (timer, alarm) = (nova.timer, nova.alarm);
            alarm.set(EPOCH + 300_000).unwrap();
            let user = scope
                .named("user")
                .hrtimer(move |t| {
                    // Keeps the alarm from ringing, for ever.
                    alarm.set(timer.now() + 300_000).unwrap();
                    t.forward(100.micros())
                })
                .unwrap();
            user.start(100.micros()).unwrap();
            // (In a box: to forget a handle itself is nothing, says the compiler. They are `Copy`.)
            leaked_on_purpose((timer, alarm, user));
        });
        sim.advance(10.millis());
        assert!(alarm(&bound, |alarm| alarm.is_set()));
        assert_eq!(alarm(&bound, |alarm| alarm.last()), None);
        let device = bound.unbind(cx).unwrap();
        let log = sim.log();
        let ended = |what: &str| {
            let what = format!("[0.010000000] nova_timer::NovaTimer: {what}");
            let line = log.iter().position(|line| *line == what);
            line.unwrap_or_else(|| panic!("not in the log: {what}"))
        };
        let user = ended("hrtimer user: was armed for 0.010100000, cancelled");
        let alarm = ended("hrtimer alarm: was armed for 0.010300000, cancelled");
        assert!(user.max(alarm) < ended("mapping BAR 0: dropped"));
        let accesses = model.accesses();
        sim.advance(1.secs());
        assert_eq!(model.accesses(), accesses, "nobody looks any more");
        // The registers have been unmapped: they can be mapped again.
        let again: Binding<NovaTimer, Sim> = Binding::bind(sim.clone(), device, cx).unwrap();
        assert!(!self::alarm(&again, |alarm| alarm.is_set()));
    });
}

/// In real time: removed while alarms ring and are set again, all the time.
#[test]
fn it_is_removed_in_the_middle_of_ringing() {
    let host = Host::new().unwrap();
    for round in 0..50 {
        let clock = host.clone();
        let model = Arc::new(NovaModel::new(move || EPOCH + clock.now().as_nanos()));
        host.may_sleep(|cx| {
            let bound = bind(&host, &model, cx);
            let looks = Arc::new(AtomicU64::new(0));
            let count = Arc::clone(&looks);
            bound.with_scope(cx, |nova, scope| {
                let (timer, alarm) = (nova.timer, nova.alarm);
                let user = scope
                    .hrtimer(move |t| {
                        count.fetch_add(1, SeqCst);
                        // Once the scope is closing there is no setting it any more.
                        let set = alarm.set(timer.now() + 5_000);
                        assert!(matches!(set, Ok(()) | Err(Error::Closed)), "{set:?}");
                        t.restart_after(15.micros())
                    })
                    .unwrap();
                user.start(0.nanos()).unwrap();
                leaked_on_purpose((timer, alarm, user));
            });
            // Until it has rung, and then some.
            while bound.with(|nova| nova.alarm.last()).is_none() {
                host.sleep(cx, 100.micros());
            }
            host.sleep(cx, Duration::from_micros(round * 7));
            bound.unbind(cx).unwrap();
            let (accesses, calls) = (model.accesses(), looks.load(SeqCst));
            host.sleep(cx, 200.micros());
            assert_eq!(
                (model.accesses(), looks.load(SeqCst)),
                (accesses, calls),
                "something runs on"
            );
        });
    }
}
