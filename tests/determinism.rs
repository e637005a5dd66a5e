//! The same program on `Sim` has the same log, down to the last line.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::Mutex;

use common::{memory_region, on_purpose};
use driver_scope::platform::{IrqLine, Region, Sim};
use driver_scope::{
    enter, registers, Binding, Driver, DriverScope, Error, HrTimer, IrqContext, IrqReturn, Lock,
    MaySleep, Restart, Units,
};

mod common;

registers! {
    Regs: 8 {
        0 => rw COUNT: u64,
    }
}

/// Numbers that look random, from a seed.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1);
        (self.0 >> 33) % sides
    }
}

/// Does something of everything, as the dice have it.
struct Gambler;

impl Driver<Sim> for Gambler {
    type Device = (Region, Dice);
    type Data<'drv> = [HrTimer<'drv, Sim>; 4];
    type Error = Error;

    fn probe<'drv>(
        (region, dice): &'drv Self::Device,
        scope: &DriverScope<'drv, Sim>,
    ) -> Result<Self::Data<'drv>, Error> {
        let regs = scope.map::<Regs>(region)?;
        let dice = scope.own(Lock::<_, Sim>::new(dice.clone()))?;
        let mut timers = Vec::new();
        for name in ["a", "b", "c", "d"] {
            let (timer, vacant) = scope.named(name).vacant_hrtimer()?;
            timers.push((timer, vacant));
        }
        let handles = [0, 1, 2, 3].map(|i: usize| timers[i].0);
        for (_, vacant) in timers {
            vacant.set(scope, move |t| {
                let mut dice = dice.lock();
                regs.write(COUNT, regs.read(COUNT) + 1);
                let other = handles[dice.roll(4) as usize];
                match dice.roll(40) {
                    0..10 => t.restart_after(dice.roll(1000).micros()),
                    10..20 => t.forward(dice.roll(300).micros()),
                    20..30 => {
                        let _ = other.start(dice.roll(500).micros());
                        t.restart_after(dice.roll(2000).micros())
                    }
                    30..38 => {
                        let _ = other.try_cancel();
                        t.restart_after(dice.roll(2000).micros())
                    }
                    38 => Restart::No,
                    _ => {
                        drop(dice);
                        on_purpose("the dice")
                    }
                }
            })?;
        }
        for timer in handles {
            timer.start(dice.lock().roll(1000).micros())?;
        }
        scope.on_remove(move |_| {
            let _ = handles[0].start(0.nanos());
        })?;
        Ok(handles)
    }

    fn remove(timers: &Self::Data<'_>, cx: MaySleep<'_>) {
        let _ = timers[1].cancel(cx);
    }
}

/// The log of a gambler's life.
fn play(seed: u64) -> Vec<String> {
    let sim = Sim::with_log();
    sim.may_sleep(|cx| {
        let device = (memory_region(8), Dice(seed));
        let binding = Binding::<Gambler, Sim>::bind(sim.clone(), device, cx)
            .map_err(|failed| failed.error)
            .unwrap();
        let polls = AtomicU64::new(0);
        enter(sim.clone(), cx, &polls, |polls, scope| {
            let poll = scope.named("poll").hrtimer(move |t| {
                polls.fetch_add(1, SeqCst);
                t.forward(700.micros())
            })?;
            poll.start(0.nanos())?;
            scope.sleep(20.millis());
            Ok::<(), Error>(())
        })
        .unwrap();
        for step in 0..10 {
            binding.with(|timers| {
                let _ = timers[step % 4].start((100 * step as u64).micros());
            });
            sim.advance(3.millis());
        }
        assert!(binding.unbind(cx).is_ok());
        assert_eq!(polls.load(SeqCst), 29);
    });
    sim.log()
}

#[test]
fn the_same_program_has_the_same_log() {
    for seed in 1..20 {
        let log = play(seed);
        assert!(log.len() > 100, "a log of substance: {log:#?}");
        assert_eq!(log, play(seed));
        // Nor does it matter which thread it is, or what else happens.
        let elsewhere = std::thread::spawn(move || {
            let _other = Sim::new();
            play(seed)
        });
        assert_eq!(log, elsewhere.join().unwrap());
    }
}

/// The log of a gambler that is dropped in a callback: of an interrupt, a timer, work.
fn play_until_dropped(seed: u64, site: usize) -> Vec<String> {
    let sim = Sim::with_log();
    let line = IrqLine::new();
    sim.may_sleep(|cx| {
        let device = (memory_region(8), Dice(seed));
        let gambler = Binding::<Gambler, Sim>::bind(sim.clone(), device, cx)
            .map_err(|failed| failed.error)
            .unwrap();
        let table = Mutex::new(Some(gambler));
        enter(sim.clone(), cx, &table, |table, scope| {
            let end = move || drop(table.lock().unwrap().take());
            let irq = move |_: &mut IrqContext<'_, _>| {
                end();
                IrqReturn::Handled
            };
            match site {
                0 => {
                    scope.irq(&line, irq)?;
                }
                1 => scope
                    .hrtimer(move |_| {
                        end();
                        Restart::No
                    })?
                    .start(3.millis())?,
                _ => {
                    let work = scope.work(move |_| {
                        end();
                        Restart::No
                    })?;
                    work.queue_after(3.millis())?;
                }
            }
            scope.sleep(3.millis());
            line.raise();
            scope.sleep(2.millis());
            // Not on another thread, which may be done sooner or later.
            assert!(table.lock().unwrap().is_none());
            assert!(sim.log().iter().any(|line| line.ends_with("Gambler: done")));
            Ok::<(), Error>(())
        })
        .unwrap();
    });
    sim.log()
}

#[test]
fn a_removal_that_was_put_off_has_its_place_in_the_log() {
    for site in 0..3 {
        for seed in 1..20 {
            let log = play_until_dropped(seed, site);
            assert_eq!(log, play_until_dropped(seed, site));
        }
    }
}

#[test]
fn another_program_has_another_log() {
    assert_ne!(play(1), play(2));
}

#[test]
fn the_log_tells_everything_with_its_instant() {
    let sim = Sim::with_log();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |(), scope| {
            let timer = scope.named("tick").hrtimer(|t| t.forward(2.millis()))?;
            scope.named("bye").on_remove(|_| ())?;
            timer.start(1.millis())?;
            scope.sleep(4.millis());
            timer.try_cancel();
            timer.start_at(scope.now())?;
            Ok::<(), Error>(())
        })
    })
    .unwrap();
    let expected = [
        "[0.000000000] timer 1 is armed for 0.001000000",
        "[0.001000000] timer 1 expires",
        "[0.001000000] timer 1 is armed for 0.003000000 unless it is armed",
        "[0.003000000] timer 1 expires",
        "[0.003000000] timer 1 is armed for 0.005000000 unless it is armed",
        "[0.004000000] timer 1 is to be cancelled: Cancelled",
        "[0.004000000] timer 1 is armed for 0.004000000",
        "[0.004000000] enter: gate",
        "[0.004000000] enter: hooks",
        "[0.004000000] enter: on_remove action bye: ran",
        "[0.004000000] enter: close",
        "[0.004000000] enter: shut down",
        "[0.004000000] enter: hrtimer tick: was armed for 0.004000000, cancelled",
        "[0.004000000] enter: destroy",
        "[0.004000000] enter: release",
        "[0.004000000] enter: done",
    ];
    assert_eq!(sim.log(), expected);
}
