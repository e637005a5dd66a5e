//! What a scope tells of its registrations: their states, and what timers count. On `Sim` to the nanosecond.
//!
//! `GUARDS.md` has the counters one by one, under `inspect`.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread;
use std::time::Duration;

use common::{
    in_a_callback, leaked_on_purpose, memory_region, on_purpose, rounds, run, run_on, until,
    wait_until, Foreign, Metered, TestPlatform,
};
use driver_scope::event::Kind;
use driver_scope::inspect::{Details, Timer};
use driver_scope::platform::Sim;
use driver_scope::{
    enter, registers, Binding, Driver, DriverScope, Error, Inspected, Instant, Plain, Platform,
    Restart, Units,
};

mod common;

on_every_platform!(
    each_registration_is_visited_newest_first,
    a_timer_tells_its_state,
    periods_that_are_passed_over_are_missed,
    a_callback_that_blocks_makes_others_late,
    a_restart_that_cannot_be_is_counted,
    a_panic_is_told,
    a_panicking_callback_counts_as_a_run,
    a_devres_tells_that_it_was_released,
    a_visitor_may_do_everything,
    a_visitor_may_panic,
    a_callback_inspects_its_own_driver,
    a_visit_beside_others_that_register,
    a_driver_is_inspected_on_any_thread,
);

registers! {
    Regs: 0x20 {}
}

fn items<P: Platform>(scope: &DriverScope<'_, P>) -> Vec<Inspected> {
    let mut items = Vec::new();
    scope.inspect(|item| items.push(*item));
    items
}

/// The timer of this name.
fn timer<P: Platform>(scope: &DriverScope<'_, P>, name: &str) -> Timer {
    find(&items(scope), name)
}

fn find(items: &[Inspected], name: &str) -> Timer {
    let found = items.iter().find(|item| item.name.label() == Some(name));
    *found.expect("it is registered").timer().expect("a timer")
}

/// Compares what is exact where time is virtual; elsewhere everything may take longer.
#[track_caller]
fn at_least<P: TestPlatform>(found: Duration, expected: Duration) {
    if P::REAL_TIME {
        assert!(found >= expected, "{found:?} < {expected:?}");
    } else {
        assert_eq!(found, expected);
    }
}

fn each_registration_is_visited_newest_first<P: TestPlatform>() {
    run::<P>(|scope| {
        assert!(items(scope).is_empty());
        scope.named("state").own(7)?;
        let region = memory_region(0x40);
        scope.named("registers").map::<Regs>(&region)?;
        scope.named("first").on_remove(|_| {})?;
        scope.named("timer").hrtimer(|_| Restart::No)?;
        let devres = scope.named("resource").devres::<Plain<u32>>(7)?;
        scope.named("second").on_remove(|_| {})?;

        let items = items(scope);
        let seen: Vec<_> = items
            .iter()
            .map(|item| (item.kind, item.name.label().unwrap()))
            .collect();
        assert_eq!(
            seen,
            [
                (Kind::Action, "second"),
                (Kind::Action, "first"),
                (Kind::Devres, "resource"),
                (Kind::Timer, "timer"),
                (Kind::Mapping, "registers"),
                (Kind::Owned, "state"),
            ]
        );
        assert!(matches!(items[3].details, Details::Timer(_)));
        assert_eq!(items[4].details, Details::Mapped(0x40));
        for held in [0, 1, 2, 5] {
            assert_eq!(items[held].details, Details::Held);
            assert!(items[held].timer().is_none());
        }
        drop(devres);
        Ok(())
    });
}

fn a_timer_tells_its_state<P: TestPlatform>() {
    run::<P>(|scope| {
        let fired = scope.own(AtomicBool::new(false))?;
        let (handle, vacant) = scope.named("it").vacant_hrtimer()?;
        let seen = timer(scope, "it");
        assert!(seen.vacant && !seen.armed && !seen.running && !seen.panicked);
        assert_eq!((seen.expires, seen.runs), (None, 0));

        vacant.set(scope, |_| {
            fired.store(true, SeqCst);
            Restart::No
        })?;
        let at = scope.now().saturating_add(3600.secs());
        handle.start_at(at)?;
        let seen = timer(scope, "it");
        assert!(!seen.vacant && seen.armed && !seen.running);
        assert_eq!((seen.expires, seen.runs), (Some(at), 0));
        assert_eq!((seen.latest, seen.longest), Default::default());

        handle.start(0.nanos())?;
        until(scope, || fired.load(SeqCst));
        until(scope, || !handle.is_active());
        let seen = timer(scope, "it");
        assert!(!seen.armed && !seen.running);
        assert_eq!(seen.runs, 1);
        assert_eq!((seen.missed, seen.merged, seen.refused), (0, 0, 0));
        Ok(())
    });
}

fn periods_that_are_passed_over_are_missed<P: TestPlatform>() {
    run::<P>(|scope| {
        let platform = scope.platform();
        let told = scope.own(AtomicU32::new(0))?;
        let runs = scope.own(AtomicU32::new(0))?;
        let slow = scope.named("slow").hrtimer(move |t| {
            if runs.fetch_add(1, SeqCst) == 2 {
                return Restart::No;
            }
            // The second half of the fourth period.
            platform.delay(3500.micros());
            let next = t.forward(1.millis());
            told.fetch_add(t.overrun().try_into().unwrap(), SeqCst);
            next
        })?;
        slow.start(1.millis())?;
        until(scope, || runs.load(SeqCst) == 3);
        until(scope, || !slow.is_active());
        let seen = timer(scope, "slow");
        assert_eq!(seen.runs, 3);
        // What the callback was told, added up.
        assert_eq!(seen.missed, u64::from(told.load(SeqCst)));
        assert!(seen.missed >= 6);
        if !P::REAL_TIME {
            assert_eq!((seen.missed, seen.latest), (6, Duration::ZERO));
        }
        at_least::<P>(seen.longest, 3500.micros());
        Ok(())
    });
}

fn a_callback_that_blocks_makes_others_late<P: TestPlatform>() {
    run::<P>(|scope| {
        let platform = scope.platform();
        let blocks = scope.named("blocks").hrtimer(move |_| {
            platform.delay(5.millis());
            Restart::No
        })?;
        let others = scope.own(AtomicU32::new(0))?;
        let other = scope.named("other").hrtimer(move |_| {
            others.fetch_add(1, SeqCst);
            Restart::No
        })?;
        let at = scope.now().saturating_add(1.millis());
        blocks.start_at(at)?;
        other.start_at(at.saturating_add(2.millis()))?;
        until(scope, || others.load(SeqCst) == 1);
        until(scope, || !other.is_active());
        at_least::<P>(timer(scope, "blocks").longest, 5.millis());
        at_least::<P>(timer(scope, "other").latest, 3.millis());
        if !P::REAL_TIME {
            assert_eq!(timer(scope, "blocks").latest, Duration::ZERO);
            assert_eq!(timer(scope, "other").longest, Duration::ZERO);
        }

        // A start for the past is late from the outset; and the most stays.
        other.start_at(Instant::ZERO)?;
        until(scope, || others.load(SeqCst) == 2);
        until(scope, || !other.is_active());
        let latest = timer(scope, "other").latest;
        assert!(latest >= at.saturating_duration_since(Instant::ZERO));
        other.start(0.nanos())?;
        until(scope, || others.load(SeqCst) == 3);
        until(scope, || !other.is_active());
        assert_eq!(timer(scope, "other").latest, latest);
        Ok(())
    });
}

fn a_restart_that_cannot_be_is_counted<P: TestPlatform>() {
    run::<P>(|scope| {
        let handle = scope.named("refused").hrtimer(|t| t.forward(0.nanos()))?;
        for before in 0..3 {
            assert_eq!(timer(scope, "refused").refused, before);
            handle.start(0.nanos())?;
            until(scope, || timer(scope, "refused").runs == before + 1);
            until(scope, || !handle.is_active());
        }
        assert_eq!(timer(scope, "refused").refused, 3);
        Ok(())
    });
}

fn a_panic_is_told<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    run_on(&platform, |scope| {
        let handle = scope
            .named("mine")
            .hrtimer(|_| on_purpose("in a callback"))?;
        assert!(!timer(scope, "mine").panicked);
        handle.start(0.nanos())?;
        until(scope, || timer(scope, "mine").panicked);
        Ok(())
    });
}

/// Its length too.
fn a_panicking_callback_counts_as_a_run<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    run_on(&platform, |scope| {
        let platform = scope.platform();
        let handle = scope.named("mine").hrtimer(move |_| {
            platform.delay(2.millis());
            on_purpose("in a callback")
        })?;
        handle.start(0.nanos())?;
        until(scope, || timer(scope, "mine").panicked);
        let seen = timer(scope, "mine");
        assert_eq!(seen.runs, 1);
        at_least::<P>(seen.longest, 2.millis());
        Ok(())
    });
}

fn a_devres_tells_that_it_was_released<P: TestPlatform>() {
    run::<P>(|scope| {
        let bound = scope.devres::<Plain<u32>>(7)?;
        assert_eq!(items(scope)[0].details, Details::Held);
        drop(bound);
        assert_eq!(items(scope)[0].details, Details::Released);
        Ok(())
    });
}

/// No lock is held while it runs, and it does not meet what it makes.
fn a_visitor_may_do_everything<P: TestPlatform>() {
    run::<P>(|scope| {
        let fired = scope.own(AtomicU32::new(0))?;
        let handle = scope.named("timer").hrtimer(|_| {
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;
        let mut visits = 0;
        scope.inspect(|item| {
            visits += 1;
            assert_ne!(item.name.label(), Some("new"));
            // Each takes the lock of the timers.
            handle.start(1.secs()).unwrap();
            assert_eq!(handle.cancel(scope.may_sleep()), Ok(true));
            let new = scope.named("new").hrtimer(|_| Restart::No).unwrap();
            new.start(0.nanos()).unwrap();
            scope.named("new").on_remove(|_| {}).unwrap();
            assert_eq!(items(scope).len(), 2 + 2 * visits);
            // Callbacks run meanwhile.
            handle.start(0.nanos()).unwrap();
            until(scope, || fired.load(SeqCst) as usize == visits);
            assert!(scope.table().to_string().lines().count() == 3 + 2 * visits);
        });
        assert_eq!(visits, 2);
        Ok(())
    });
}

fn a_visitor_may_panic<P: TestPlatform>() {
    run::<P>(|scope| {
        let handle = scope.hrtimer(|_| Restart::No)?;
        let visit = || scope.inspect(|_| on_purpose("in a visitor"));
        assert!(catch_unwind(AssertUnwindSafe(visit)).is_err());
        // Nothing is left locked.
        handle.start(1.secs())?;
        assert_eq!(items(scope).len(), 1);
        Ok(())
    });
}

/// A driver with one timer, whose callback does what its device says.
struct Puppet;

type Act = Box<dyn Fn() + Send + Sync>;

impl<P: Platform> Driver<P> for Puppet {
    type Device = Act;
    type Data<'drv> = driver_scope::HrTimer<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        act: &'drv Act,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Self::Data<'drv>, Error> {
        scope.named("puppet").hrtimer(move |_| {
            act();
            Restart::No
        })
    }
}

fn bind<P: TestPlatform>(platform: &P, act: Act) -> Binding<Puppet, P> {
    let bound = platform.lend_sleep(|cx| Binding::bind(platform.clone(), act, cx));
    bound.expect("it binds")
}

fn puppet<P: Platform>(binding: &Binding<Puppet, P>) -> Timer {
    let mut items = Vec::new();
    binding.inspect(|item| items.push(*item));
    find(&items, "puppet")
}

fn a_callback_inspects_its_own_driver<P: TestPlatform>() {
    type Own<P> = OnceLock<Weak<Binding<Puppet, Metered<P>>>>;
    let platform = Metered::<P>::fresh();
    let own: Arc<Own<P>> = Arc::default();
    let seen: Arc<Mutex<Option<Timer>>> = Arc::default();
    let binding = Arc::new(bind(&platform, {
        let (own, seen) = (Arc::clone(&own), Arc::clone(&seen));
        Box::new(move || {
            let binding = own.get().unwrap().upgrade().unwrap();
            *seen.lock().unwrap() = Some(puppet(&binding));
        })
    }));
    own.set(Arc::downgrade(&binding)).unwrap();
    platform.meanwhile(|| {
        binding.with(|timer| timer.start(0.nanos())).unwrap();
        wait_until(|| seen.lock().unwrap().is_some());
        // The callback's own share is gone.
        wait_until(|| Arc::strong_count(&binding) == 1 && !puppet(&binding).running);
    });
    let seen = seen.lock().unwrap().unwrap();
    assert!(seen.running && !seen.armed);
    assert_eq!(seen.runs, 1);
    assert_eq!(seen.longest, Duration::ZERO, "it is under way");
    drop(binding);
    platform.assert_at_rest();
}

fn a_driver_is_inspected_on_any_thread<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let binding = bind(&platform, Box::new(|| {}));
    thread::scope(|threads| {
        threads.spawn(|| assert!(!puppet(&binding).armed));
        threads.spawn(|| assert!(binding.table().to_string().contains("puppet")));
    });
    // And in a callback of another scope.
    in_a_callback(&platform, || assert_eq!(puppet(&binding).runs, 0));
    drop(binding);
    platform.assert_at_rest();
}

/// Each visit finds what was there before it, once, and whole.
fn a_visit_beside_others_that_register<P: TestPlatform>() {
    const EACH: usize = rounds(200, 10);
    let platform = Metered::<P>::fresh();
    let binding = bind(&platform, Box::new(|| {}));
    let done = AtomicU32::new(0);
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                for _ in 0..EACH {
                    platform.lend_sleep(|cx| {
                        binding.with_scope(cx, |_, scope| {
                            scope.named("own").own(7_u64).unwrap();
                            scope.named("hook").on_remove(|_| {}).unwrap();
                            let timer = scope.named("timer").hrtimer(|_| Restart::No);
                            timer.unwrap().start(1000.secs()).unwrap();
                        });
                    });
                }
                done.fetch_add(1, SeqCst);
            });
        }
        let mut before = 0;
        loop {
            let last = done.load(SeqCst) == 2;
            let mut items = Vec::new();
            binding.inspect(|item| items.push(*item));
            assert!(items.len() >= before, "{} < {before}", items.len());
            before = items.len();
            for item in items {
                let named = match item.kind {
                    Kind::Owned => "own",
                    Kind::Action => "hook",
                    _ if item.name.label() == Some("puppet") => "puppet",
                    _ => "timer",
                };
                assert_eq!(item.name.label(), Some(named));
                assert_eq!(item.timer().is_some(), item.kind == Kind::Timer);
            }
            if last {
                break;
            }
        }
        assert_eq!(before, 1 + 2 * 3 * EACH);
    });
    drop(binding);
    platform.assert_at_rest();
}

/// Two processors expire one timer at the same time: one run, and another for what the first met.
#[test]
fn expiries_that_meet_the_callback_are_merged() {
    let foreign = Foreign::with_processors(2);
    let platform = Metered::around(foreign.clone());
    run_on(&platform, |scope| {
        let runs = scope.own(AtomicU32::new(0))?;
        let (handle, vacant) = scope.named("both").vacant_hrtimer()?;
        vacant.set(scope, {
            let foreign = foreign.clone();
            move |_| {
                if runs.fetch_add(1, SeqCst) == 0 {
                    handle.start(0.nanos()).unwrap();
                    wait_until(|| foreign.most_at_once() == 2);
                    // The other is in the entry; let it come out of it.
                    thread::sleep(1.millis());
                }
                Restart::No
            }
        })?;
        handle.start(0.nanos())?;
        until(scope, || runs.load(SeqCst) == 2 && !handle.is_active());
        let seen = timer(scope, "both");
        assert_eq!((seen.runs, seen.merged, seen.missed), (2, 1, 0));
        Ok(())
    });
}

#[test]
fn what_is_told_as_text() {
    let sim = Sim::new();
    let region = memory_region(0x40);
    let (lines, table) = sim
        .may_sleep(|cx| {
            enter(sim.clone(), cx, &sim, |sim, scope| {
                scope.named("state").own(7)?;
                scope.named("BAR 0").map::<Regs>(&region)?;
                drop(scope.named("data").devres::<Plain<u32>>(7)?);
                scope.named("stop").on_remove(|_| {})?;
                let slow = scope.named("slow").hrtimer(move |t| {
                    sim.delay(2500.micros());
                    t.forward(1.millis())
                })?;
                slow.start(1.millis())?;
                let late = scope
                    .named("a long name")
                    .hrtimer(|t| t.forward(0.nanos()))?;
                late.start(2.millis())?;
                let (_never, _vacant) = scope.named("never").vacant_hrtimer()?;
                scope.named("idle").hrtimer(|_| Restart::No)?;
                scope.sleep(4.millis());
                let mut lines = Vec::new();
                scope.inspect(|item| lines.push(item.to_string()));
                Ok::<_, Error>((lines, scope.table().to_string()))
            })
        })
        .unwrap();
    assert_eq!(
        lines,
        [
            "on_remove action stop: held",
            "hrtimer idle: idle; 0 runs, the longest 0ns, at most 0ns late",
            "hrtimer never: vacant; 0 runs, the longest 0ns, at most 0ns late",
            "hrtimer a long name: idle; 1 runs, the longest 0ns, at most 1.5ms late; 1 refused",
            "hrtimer slow: armed for 0.007000000; 2 runs, the longest 2.5ms, at most 0ns late; 4 missed",
            "devres data: released",
            "mapping BAR 0: 0x40 bytes",
            "owned value state: held",
        ]
    );
    let expected = "\
kind             name        state               runs  missed  merged refused    latest   longest
on_remove action stop        held
hrtimer          idle        idle                   0       0       0       0     0.0ns     0.0ns
hrtimer          never       vacant                 0       0       0       0     0.0ns     0.0ns
hrtimer          a long name idle                   1       0       0       1     1.5ms     0.0ns
hrtimer          slow        due in 500.0µs         2       4       0       0     0.0ns     2.5ms
devres           data        released
mapping          BAR 0       0x40 bytes
owned value      state       held
";
    assert_eq!(table, expected);
}

/// A label is a driver's to choose; no length of it makes the table panic.
#[test]
fn a_label_may_be_longer_than_any_width() {
    let sim = driver_scope::platform::Sim::new();
    let label: &'static str = leaked_on_purpose("x".repeat(70_000));
    sim.may_sleep(|cx| {
        driver_scope::enter(sim.clone(), cx, &(), |(), scope| {
            scope.named(label).hrtimer(|_| driver_scope::Restart::No)?;
            assert!(scope.table().to_string().contains(label));
            Ok::<(), driver_scope::Error>(())
        })
    })
    .unwrap();
}
