//! Waiting for a register to change.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use driver_scope::mmio::{Holds, Place, Readable};
use driver_scope::platform::{Model, Region};
use driver_scope::{
    registers, DriverScope, Error, Instant, Mmio, Platform, Poll, Registers, Restart, Units,
};

use crate::common::{run, until, Metered, TestPlatform};

registers! {
    Waits: 0x20 {
        0x00 => ro STATUS: u32,
        0x04 => ro SURE32: u32 where !0 is gone,
        0x08 => rw SURE64: u64 where !0 is gone,
        0x10 => w1c SURE16: u16 where !0 is gone,
        0x12 => ro SURE8: [u8; 2; stride 1] where !0 is gone,
    }
}

/// A device each register of which reads as what comes next; the last value stays.
struct Answers {
    values: Vec<u64>,
    looks: AtomicU32,
}

impl Model for Answers {
    fn read(&self, _offset: u64, _width: u8) -> u64 {
        let look = self.looks.fetch_add(1, SeqCst) as usize;
        self.values[look.min(self.values.len() - 1)]
    }
    fn write(&self, _offset: u64, _width: u8, _value: u64) {}
}

fn answers(values: impl Into<Vec<u64>>) -> (Arc<Answers>, Region) {
    let device = Arc::new(Answers {
        values: values.into(),
        looks: AtomicU32::new(0),
    });
    (Arc::clone(&device), Region::new(device, 0x20))
}

impl Answers {
    /// How often it was looked at. Then it begins anew.
    fn looks(&self) -> u32 {
        self.looks.swap(0, SeqCst)
    }
}

/// How to wait.
#[derive(Clone, Copy)]
enum Way {
    Sleeping,
    Spinning,
}

const WAYS: [Way; 2] = [Way::Sleeping, Way::Spinning];

impl Way {
    fn until<P: Platform, T>(
        self,
        scope: &DriverScope<'_, P>,
        every: Duration,
        within: Duration,
        look: impl FnMut() -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let platform = scope.platform();
        match self {
            Way::Sleeping => Poll::sleeping(platform, scope.may_sleep(), every, within).until(look),
            Way::Spinning => Poll::spinning(platform, every, within).until(look),
        }
    }

    fn poll<'drv, P: Platform, R: Registers, G: Place<R>>(
        self,
        scope: &DriverScope<'drv, P>,
        (regs, register): (Mmio<'drv, R, P>, G),
        every: Duration,
        within: Duration,
        done: impl FnMut(<G::Content as Holds>::Value) -> bool,
    ) -> Result<<G::Content as Holds>::Value, Error>
    where
        G::Content: Readable<G::Item>,
    {
        let platform = scope.platform();
        match self {
            Way::Sleeping => {
                let how = Poll::sleeping(platform, scope.may_sleep(), every, within);
                regs.poll(register, how, done)
            }
            Way::Spinning => regs.poll(register, Poll::spinning(platform, every, within), done),
        }
    }
}

/// Checks how long something took: to the nanosecond where time stands still meanwhile, else that long at least.
#[track_caller]
fn took<P: TestPlatform>(scope: &DriverScope<'_, Metered<P>>, since: Instant, expected: Duration) {
    let took = scope.now().saturating_duration_since(since);
    if P::REAL_TIME {
        assert!(took >= expected, "{took:?} instead of {expected:?}");
    } else {
        assert_eq!(took, expected);
    }
}

pub fn what_is_there_is_found_at_once<P: TestPlatform>() {
    let (device, region) = answers([5]);
    run::<P>(|scope| {
        let regs = scope.map::<Waits>(&region)?;
        for way in WAYS {
            let before = scope.now();
            let found = way.poll(scope, (regs, STATUS), 3600.secs(), 7200.secs(), |s| s == 5);
            assert_eq!(found, Ok(5));
            assert_eq!(device.looks(), 1);
            took(scope, before, Duration::ZERO);
        }
        Ok(())
    });
}

pub fn what_comes_later_is_found_later<P: TestPlatform>() {
    let (device, region) = answers([1, 1, 1, 0x20, 1]);
    run::<P>(|scope| {
        let regs = scope.map::<Waits>(&region)?;
        for way in WAYS {
            let before = scope.now();
            let found = way.poll(scope, (regs, STATUS), 30.micros(), 60.secs(), |s| {
                s & 1 == 0
            });
            assert_eq!(found, Ok(0x20));
            assert_eq!(device.looks(), 4);
            took(scope, before, 90.micros());
        }
        Ok(())
    });
}

pub fn a_time_out_is_kept<P: TestPlatform>() {
    let (device, region) = answers([1]);
    run::<P>(|scope| {
        let regs = scope.map::<Waits>(&region)?;
        for way in WAYS {
            for (within, most) in [(95, 11), (100, 11), (9, 2)] {
                let within = within.micros();
                let before = scope.now();
                let found = way.poll(scope, (regs, STATUS), 10.micros(), within, |s| s == 0);
                assert_eq!(found, Err(Error::TimedOut));
                took(scope, before, within);
                let looks = device.looks();
                if P::REAL_TIME {
                    assert!((2..=most).contains(&looks), "{looks}");
                } else {
                    // One at the start, one after each pause, one when the time is over.
                    assert_eq!(looks, most);
                }
            }
        }
        Ok(())
    });
}

pub fn a_time_out_of_zero_is_one_look<P: TestPlatform>() {
    let (device, region) = answers([1, 2]);
    run::<P>(|scope| {
        let regs = scope.map::<Waits>(&region)?;
        for way in WAYS {
            let before = scope.now();
            let poll = |wanted| {
                way.poll(scope, (regs, STATUS), 3600.secs(), Duration::ZERO, |s| {
                    s == wanted
                })
            };
            assert_eq!(poll(2), Err(Error::TimedOut));
            assert_eq!(device.looks(), 1);
            assert_eq!(poll(1), Ok(1));
            assert_eq!(device.looks(), 1);
            took(scope, before, Duration::ZERO);
        }
        Ok(())
    });
}

/// Who is held up takes no device for dead that was done long before.
pub fn a_look_is_made_after_the_time_out<P: TestPlatform>() {
    run::<P>(|scope| {
        for way in WAYS {
            let mut looks = 0;
            let found = way.until(scope, 1.micros(), 100.millis(), || {
                looks += 1;
                if looks == 2 {
                    return Ok(Some("done"));
                }
                // An interrupt that takes long, say.
                scope.platform().delay(150.millis());
                Ok(None)
            });
            assert_eq!(found, Ok("done"));

            // That look is the last.
            let mut looks = 0;
            let found: Result<(), Error> = way.until(scope, 1.micros(), 100.millis(), || {
                looks += 1;
                scope.platform().delay(150.millis());
                Ok(None)
            });
            assert_eq!((found, looks), (Err(Error::TimedOut), 2));
        }
        Ok(())
    });
}

pub fn a_pause_of_zero_moves_on<P: TestPlatform>() {
    run::<P>(|scope| {
        for way in WAYS {
            let mut looks = 0;
            let before = scope.now();
            let found: Result<(), Error> = way.until(scope, Duration::ZERO, 20.nanos(), || {
                looks += 1;
                assert!(looks <= 21, "time stands still");
                Ok(None)
            });
            assert_eq!(found, Err(Error::TimedOut));
            took(scope, before, 20.nanos());
        }
        Ok(())
    });
}

pub fn no_pause_is_longer_than_the_time_out<P: TestPlatform>() {
    run::<P>(|scope| {
        for way in WAYS {
            let mut looks = 0;
            let before = scope.now();
            let found: Result<(), Error> = way.until(scope, Duration::MAX, 1.millis(), || {
                looks += 1;
                Ok(None)
            });
            assert_eq!(found, Err(Error::TimedOut));
            // In real time it may be over by the first look.
            assert!(looks == 2 || P::REAL_TIME && looks == 1, "{looks}");
            took(scope, before, 1.millis());
        }
        Ok(())
    });
}

pub fn the_longest_time_out_is_no_time_out<P: TestPlatform>() {
    let (device, region) = answers([1, 1, 1, 1, 0]);
    run::<P>(|scope| {
        let regs = scope.map::<Waits>(&region)?;
        for way in WAYS {
            let before = scope.now();
            let found = way.poll(scope, (regs, STATUS), 5.micros(), Duration::MAX, |s| s == 0);
            assert_eq!(found, Ok(0));
            assert_eq!(device.looks(), 5);
            took(scope, before, 20.micros());
        }
        if !P::REAL_TIME {
            // The end of time is one as well.
            let found: Result<(), Error> =
                Way::Sleeping.until(scope, Duration::MAX, Duration::MAX, || Ok(None));
            assert_eq!(found, Err(Error::TimedOut));
            assert_eq!(scope.now(), Instant::MAX);
        }
        Ok(())
    });
}

pub fn the_error_of_a_look_is_passed_on<P: TestPlatform>() {
    run::<P>(|scope| {
        for way in WAYS {
            let mut looks = 0;
            let found: Result<(), Error> = way.until(scope, 1.micros(), 60.secs(), || {
                looks += 1;
                if looks == 3 {
                    Err(Error::Platform(-5))
                } else {
                    Ok(None)
                }
            });
            assert_eq!((found, looks), (Err(Error::Platform(-5)), 3));
        }
        Ok(())
    });
}

pub fn a_poll_tells_a_device_that_has_gone<P: TestPlatform>() {
    let (device, region) = answers([0, 0, !0]);
    run::<P>(|scope| {
        let regs = scope.map::<Waits>(&region)?;
        for way in WAYS {
            macro_rules! check {
                ($register:expr) => {
                    // All ones would be what is waited for, but are no answer.
                    let found = way.poll(scope, (regs, $register), 1.micros(), 60.secs(), |s| {
                        s & 1 == 1
                    });
                    assert_eq!(found, Err(Error::Gone));
                    assert_eq!(device.looks(), 3);
                    assert_eq!(regs.read_or_gone($register), Ok(0));
                    assert_eq!(regs.read_or_gone($register), Ok(0));
                    assert_eq!(regs.read_or_gone($register), Err(Error::Gone));
                    // Nobody asked.
                    assert_eq!(regs.read($register), !0);
                    assert_eq!(device.looks(), 4);
                };
            }
            check!(SURE8.at(1)?);
            check!(SURE16);
            check!(SURE32);
            check!(SURE64);
        }
        Ok(())
    });
}

pub fn all_ones_may_be_a_value<P: TestPlatform>() {
    let (device, region) = answers([0, !0]);
    run::<P>(|scope| {
        let regs = scope.map::<Waits>(&region)?;
        for way in WAYS {
            let found = way.poll(scope, (regs, STATUS), 1.micros(), 60.secs(), |s| s == !0);
            assert_eq!(found, Ok(!0));
            assert_eq!(device.looks(), 2);
        }
        Ok(())
    });
    // Fewer ones than the register is wide are not all.
    let (_, region) = answers([0xffff]);
    run::<P>(|scope| {
        let regs = scope.map::<Waits>(&region)?;
        assert_eq!(regs.read_or_gone(SURE16), Err(Error::Gone));
        assert_eq!(regs.read_or_gone(SURE32), Ok(0xffff));
        assert_eq!(regs.read_or_gone(SURE64), Ok(0xffff));
        Ok(())
    });
}

pub fn a_callback_may_spin<P: TestPlatform>() {
    let (device, region) = answers([1, 1, 1, 0]);
    run::<P>(|scope| {
        let regs = scope.map::<Waits>(&region)?;
        let platform = scope.platform();
        let outcome = scope.own(Mutex::new(None))?;
        let timer = scope.hrtimer(move |t| {
            let before = t.now();
            let how = Poll::spinning(platform, 10.micros(), 60.secs());
            let found = regs.poll(STATUS, how, |status| status == 0);
            let how = Poll::spinning(platform, 10.micros(), 70.micros());
            let not_found: Result<(), Error> = how.until(|| Ok(None));
            let took = t.now().saturating_duration_since(before);
            *outcome.lock().unwrap() = Some((found, not_found, took));
            Restart::No
        })?;
        timer.start(Duration::ZERO)?;
        until(scope, || outcome.lock().unwrap().is_some());
        let (found, not_found, took) = outcome.lock().unwrap().unwrap();
        assert_eq!((found, not_found), (Ok(0), Err(Error::TimedOut)));
        assert_eq!(device.looks(), 4);
        if P::REAL_TIME {
            assert!(took >= 100.micros(), "{took:?}");
        } else {
            assert_eq!(took, 100.micros());
        }
        Ok(())
    });
}

pub fn timers_are_late_behind_a_delay_but_not_lost<P: TestPlatform>() {
    run::<P>(|scope| {
        let (begin, platform) = (scope.now(), scope.platform());
        let ran = scope.own(Mutex::new(Vec::new()))?;
        let busy = scope.hrtimer(move |_| {
            platform.delay(3.millis());
            ran.lock().unwrap().push(("busy", platform.now()));
            Restart::No
        })?;
        let behind = scope.hrtimer(move |_| {
            ran.lock().unwrap().push(("behind", platform.now()));
            Restart::No
        })?;
        busy.start(1.millis())?;
        behind.start(2.millis())?;
        // On `Sim`, an end of the sleep that the delay goes beyond.
        scope.sleep(1.millis() + 500.micros());
        until(scope, || ran.lock().unwrap().len() == 2);
        let ran = ran.lock().unwrap().clone();
        let order: Vec<&str> = ran.iter().map(|(name, _)| *name).collect();
        assert_eq!(order, ["busy", "behind"]);
        for (_, when) in ran {
            let when = when.saturating_duration_since(begin);
            if P::REAL_TIME {
                assert!(when >= 4.millis(), "{when:?}");
            } else {
                assert_eq!(when, 4.millis());
            }
        }
        Ok(())
    });
}
