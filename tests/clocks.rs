//! Clocks that are set and machines that are suspended; soft timers and pinned ones; what a platform has not is refused.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::Mutex;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use common::{run, run_on, until, wait_until, Foreign, Log, Metered, TestPlatform};
use driver_scope::platform::{Host, Platform, Sim};
use driver_scope::{
    Clock, DriverScope, Error, HrTimer, Instant, Restart, TimerMode, TryCancel, Units,
};

mod common;

const REAL: TimerMode = TimerMode::new().clock(Clock::RealTime);
const BOOT: TimerMode = TimerMode::new().clock(Clock::BootTime);
const CLOCKS: [Clock; 3] = [Clock::Monotonic, Clock::RealTime, Clock::BootTime];

/// A timer that logs its name with the instant that its clock shows.
fn logs<'drv>(
    scope: &DriverScope<'drv, Metered<Sim>>,
    log: &Log,
    name: &'static str,
    mode: TimerMode,
) -> Result<HrTimer<'drv, Metered<Sim>>, Error> {
    let log = log.clone();
    scope.hrtimer_with(mode, move |t| {
        log.add(format!("{name} at {}", t.now()));
        Restart::No
    })
}

fn secs(secs: u64) -> Instant {
    Instant::from_nanos(secs * 1_000_000_000)
}

/// A Sim's real time begins here.
const EPOCH: u64 = 1_000_000_000;

fn on_sim(
    f: impl for<'drv> FnOnce(&DriverScope<'drv, Metered<Sim>>, &Sim, &Log) -> Result<(), Error>,
) -> Vec<String> {
    let sim = Metered::around(Sim::new());
    let log = Log::default();
    run_on(&sim, |scope| f(scope, sim.inner(), &log));
    log.lines()
}

#[test]
fn each_clock_shows_its_own_time() {
    on_sim(|scope, sim, _| {
        let timers: Vec<_> = [TimerMode::new(), REAL, BOOT]
            .map(|mode| scope.hrtimer_with(mode, |_| Restart::No))
            .into_iter()
            .collect::<Result<_, _>>()?;
        let shown = || [0, 1, 2].map(|i: usize| timers[i].now().as_nanos() / 1_000_000_000);
        assert_eq!(shown(), [0, EPOCH, 0]);
        sim.advance(10.secs());
        assert_eq!(shown(), [10, EPOCH + 10, 10]);
        sim.suspend(100.secs());
        assert_eq!(shown(), [10, EPOCH + 110, 110]);
        sim.step_real_time(secs(5));
        assert_eq!(shown(), [10, 5, 110]);
        sim.advance(1.secs());
        assert_eq!(shown(), [11, 6, 111]);
        assert_eq!(scope.now(), secs(11));
        for (timer, expected) in timers.iter().zip(CLOCKS) {
            assert_eq!(timer.mode().clock, expected);
            timer.start(7.secs())?;
            assert_eq!(timer.remaining(), Some(7.secs()));
            assert_eq!(timer.expires(), Some(timer.now().saturating_add(7.secs())));
        }
        Ok(())
    });
}

#[test]
fn a_step_forward_makes_what_it_jumps_over_due() {
    let lines = on_sim(|scope, sim, log| {
        let mono = logs(scope, log, "mono", TimerMode::new())?;
        let real = logs(scope, log, "real", REAL)?;
        let later = logs(scope, log, "later", REAL)?;
        mono.start(3600.secs())?;
        later.start(7200.secs())?;
        real.start(3600.secs())?;
        sim.step_real_time(secs(EPOCH + 3599));
        assert!(log.lines().is_empty());
        sim.step_real_time(secs(EPOCH + 5000));
        assert_eq!(log.lines().len(), 1);
        sim.advance(3600.secs());
        Ok(())
    });
    let expected = [
        "real at 1000005000.000000000",
        "later at 1000007200.000000000",
        "mono at 3600.000000000",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_step_back_makes_timers_wait() {
    let lines = on_sim(|scope, sim, log| {
        let real = logs(scope, log, "real", REAL)?;
        let early = logs(scope, log, "early", REAL)?;
        real.start(10.secs())?;
        sim.advance(9.secs());
        sim.step_real_time(secs(EPOCH - 100));
        // By the clock as it is now: 40 seconds after the step.
        early.start_at(secs(EPOCH - 60))?;
        assert_eq!(real.remaining(), Some(110.secs()));
        sim.advance(109.secs());
        assert_eq!(log.lines(), ["early at 999999940.000000000"]);
        sim.advance(1.secs());
        Ok(())
    });
    assert_eq!(lines[1..], ["real at 1000000010.000000000"]);
}

#[test]
fn a_periodic_timer_meets_steps() {
    on_sim(|scope, sim, _| {
        let seen = scope.own(Mutex::new(Vec::new()))?;
        let timer = scope.hrtimer_with(REAL, move |t| {
            let next = t.forward(1.secs());
            seen.lock().unwrap().push((t.expires(), t.overrun()));
            next
        })?;
        timer.start_at(secs(EPOCH))?;
        sim.advance(2.secs());
        sim.step_real_time(secs(EPOCH + 100));
        assert_eq!(*seen.lock().unwrap().last().unwrap(), (secs(EPOCH + 3), 97));
        sim.step_real_time(secs(EPOCH));
        let before = seen.lock().unwrap().len();
        sim.advance(100.secs());
        assert_eq!(seen.lock().unwrap().len(), before);
        sim.advance(1.secs());
        assert_eq!(
            *seen.lock().unwrap().last().unwrap(),
            (secs(EPOCH + 101), 0)
        );
        Ok(())
    });
}

#[test]
fn a_suspended_machine_runs_on_by_boot_time() {
    let lines = on_sim(|scope, sim, log| {
        let mono = logs(scope, log, "mono", TimerMode::new())?;
        let boot = logs(scope, log, "boot", BOOT)?;
        mono.start(10.secs())?;
        boot.start(10.secs())?;
        sim.suspend(3600.secs());
        assert_eq!(log.lines(), ["boot at 3600.000000000"]);
        sim.advance(9.secs());
        assert_eq!(log.lines().len(), 1);
        sim.advance(1.secs());
        Ok(())
    });
    assert_eq!(lines[1..], ["mono at 10.000000000"]);
}

/// By the instant first, over all clocks; then hard before soft.
#[test]
fn soft_timers_come_after_hard_ones() {
    let lines = on_sim(|scope, sim, log| {
        let soft = logs(scope, log, "soft", TimerMode::new().soft())?;
        let soft_real = logs(scope, log, "soft real", REAL.soft())?;
        let hard_real = logs(scope, log, "hard real", REAL)?;
        let hard = logs(scope, log, "hard", TimerMode::new())?;
        let early = logs(scope, log, "early", BOOT.soft())?;
        early.start(1.secs())?;
        for timer in [soft, soft_real, hard_real, hard] {
            timer.start(2.secs())?;
        }
        // All of them late: the hard ones go before, whatever they are late by.
        sim.advance(2.secs());
        Ok(())
    });
    let names: Vec<_> = lines
        .iter()
        .map(|l| l.split(" at").next().unwrap())
        .collect();
    assert_eq!(names, ["early", "hard", "hard real", "soft", "soft real"]);
}

#[test]
fn a_hard_timer_that_a_soft_one_starts_goes_before_the_next_soft_one() {
    let lines = on_sim(|scope, sim, log| {
        let hard = logs(scope, log, "hard", TimerMode::new())?;
        let second = logs(scope, log, "second", TimerMode::new().soft())?;
        let first = scope.hrtimer_with(TimerMode::new().soft(), {
            let log = log.clone();
            move |_| {
                log.add("first");
                hard.start(0.nanos()).unwrap();
                Restart::No
            }
        })?;
        first.start(1.secs())?;
        second.start(1.secs())?;
        sim.advance(1.secs());
        Ok(())
    });
    let expected = ["first", "hard at 1.000000000", "second at 1.000000000"];
    assert_eq!(lines, expected);
}

#[test]
fn no_clock_is_set_in_a_callback() {
    let sim = Sim::new();
    for act in [
        &(|sim: &Sim| sim.step_real_time(Instant::ZERO)) as &(dyn Fn(&Sim) + Sync),
        &|sim: &Sim| sim.suspend(1.secs()),
    ] {
        let panicked = AtomicBool::new(false);
        common::quiet();
        common::in_a_callback(&sim, || {
            let act = std::panic::AssertUnwindSafe(|| act(&sim));
            panicked.store(std::panic::catch_unwind(act).is_err(), SeqCst);
        });
        assert!(panicked.load(SeqCst));
    }
    assert_eq!(
        sim.clock(Clock::RealTime),
        Some(secs(EPOCH).saturating_add(1.millis()))
    );
}

#[test]
fn the_ends_of_the_clocks_are_not_left() {
    on_sim(|scope, sim, _| {
        let real = scope.hrtimer_with(REAL, |_| Restart::No)?;
        sim.step_real_time(Instant::MAX);
        sim.advance(10.secs());
        assert_eq!(real.now(), Instant::MAX);
        assert_eq!(real.start(1.nanos()), Err(Error::TimeOverflow));
        real.start(0.nanos())?;
        sim.advance(0.secs());
        assert!(!real.is_active());
        sim.step_real_time(Instant::ZERO);
        assert_eq!(real.now(), Instant::ZERO);
        real.start_at(Instant::MAX)?;
        sim.suspend(std::time::Duration::MAX);
        assert_eq!(scope.platform().clock(Clock::BootTime), Some(Instant::MAX));
        assert!(!real.is_active());
        Ok(())
    });
}

/// Every mode that a platform has fires, in a callback's context, at its time.
fn every_mode_fires<P: TestPlatform>(modes: &[TimerMode]) {
    for &mode in modes {
        run::<P>(|scope| {
            let fired = scope.own(AtomicU32::new(0))?;
            let (timer, vacant) = scope.vacant_hrtimer_with(mode)?;
            let platform = scope.platform().clone();
            vacant.set(scope, move |t| {
                assert!(platform.in_callback());
                assert!(t.now() >= t.expires());
                fired.fetch_add(1, SeqCst);
                Restart::No
            })?;
            assert_eq!(timer.mode(), mode);
            timer.start(2.millis())?;
            // On a busy machine it may have fired by now.
            assert!(timer.remaining().is_none_or(|left| left <= 2.millis()));
            until(scope, || fired.load(SeqCst) == 1 && !timer.is_active());
            // The past, and this instant.
            timer.start_at(Instant::ZERO)?;
            until(scope, || fired.load(SeqCst) == 2 && !timer.is_active());
            timer.start_at(timer.now())?;
            until(scope, || fired.load(SeqCst) == 3 && !timer.is_active());
            assert!(timer.forward(1.millis())? > 0);
            until(scope, || fired.load(SeqCst) == 4 && !timer.is_active());
            // And the end of time does not come.
            timer.start_at(Instant::MAX)?;
            assert_eq!(timer.try_cancel(), TryCancel::Cancelled);
            assert_eq!(
                timer.start(std::time::Duration::MAX),
                Err(Error::TimeOverflow)
            );
            Ok(())
        });
    }
}

fn all_modes(clocks: &[Clock]) -> Vec<TimerMode> {
    let of = |clock: &Clock| {
        let mode = TimerMode::new().clock(*clock);
        [mode, mode.soft(), mode.pinned(), mode.soft().pinned()]
    };
    clocks.iter().flat_map(of).collect()
}

#[test]
fn every_mode_fires_on_sim() {
    every_mode_fires::<Sim>(&all_modes(&CLOCKS));
}

#[test]
fn every_mode_fires_on_host() {
    every_mode_fires::<Host>(&all_modes(&CLOCKS[..2]));
}

#[cfg(target_os = "linux")]
#[cfg_attr(miri, ignore = "it has no such clock")]
#[test]
fn every_mode_of_boot_time_fires_on_host() {
    every_mode_fires::<Host>(&all_modes(&CLOCKS[2..]));
}

/// A platform that has one kind of timer says so when another is registered; nothing is left of that.
#[test]
fn a_mode_that_the_platform_lacks_is_refused() {
    run::<Foreign>(|scope| {
        for clock in CLOCKS {
            let there = scope.platform().clock(clock).is_some();
            assert_eq!(there, clock == Clock::Monotonic);
        }
        for mode in all_modes(&CLOCKS) {
            let made = scope.hrtimer_with(mode, |_| Restart::No);
            if mode == TimerMode::new() {
                assert!(made.is_ok());
            } else {
                assert_eq!(made.map(drop), Err(Error::Unsupported));
                let vacant = scope.vacant_hrtimer_with(mode);
                assert_eq!(vacant.map(drop), Err(Error::Unsupported));
            }
        }
        Ok(())
    });
}

#[test]
fn the_hosts_real_time_is_the_systems() {
    run::<Host>(|scope| {
        let timer = scope.hrtimer_with(REAL, |_| Restart::No)?;
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let shown = u128::from(timer.now().as_nanos());
        assert!(
            shown.abs_diff(system.as_nanos()) < 60_000_000_000,
            "{shown}"
        );
        Ok(())
    });
}

/// A soft callback that lasts holds up no hard timer, and not the other way round, with a single timer thread.
#[test]
fn a_soft_callback_of_host_holds_up_no_hard_timer() {
    run::<Host>(|scope| {
        let inside = scope.own(AtomicBool::new(false))?;
        let fired = scope.own(AtomicU32::new(0))?;
        let soft = scope.hrtimer_with(TimerMode::new().soft(), move |_| {
            inside.store(true, SeqCst);
            wait_until(|| fired.load(SeqCst) == 3);
            Restart::No
        })?;
        let hard = scope.hrtimer(move |t| match fired.fetch_add(1, SeqCst) {
            0..2 => t.forward(1.millis()),
            _ => Restart::No,
        })?;
        soft.start(0.nanos())?;
        until(scope, || inside.load(SeqCst));
        hard.start(0.nanos())?;
        until(scope, || !soft.is_active());
        Ok(())
    });
}

/// A pinned timer stays with the thread that it was first started for; another goes along with who starts it.
#[test]
fn a_pinned_timer_stays_with_its_thread() {
    let host = Host::builder().timer_threads(3).tracer(|_| {}).build();
    run_on(&Metered::around(host.expect("a few threads")), |scope| {
        let threads_of = |mode: TimerMode| {
            let seen = scope.own(Mutex::new(Vec::new()))?;
            let timer = scope.hrtimer_with(mode, move |_| {
                seen.lock().unwrap().push(thread::current().id());
                Restart::No
            })?;
            for round in 1..=12 {
                thread::scope(|threads| {
                    threads.spawn(|| timer.start(0.nanos()).unwrap());
                });
                until(scope, || seen.lock().unwrap().len() == round);
                until(scope, || !timer.is_active());
            }
            let mut seen = seen.lock().unwrap().clone();
            seen.sort_by_key(|id| format!("{id:?}"));
            seen.dedup();
            Ok::<usize, Error>(seen.len())
        };
        assert_eq!(threads_of(TimerMode::new().pinned())?, 1);
        assert!(threads_of(TimerMode::new())? > 1);
        Ok(())
    });
}
