//! A kind of registration made outside the crate, as a platform author would: the scope ends it as it ends its own.
//!
//! Seen to fail with: registrations of other kinds not shut, their captures not destroyed or destroyed twice, an item that is not released, no mark that
//! a callback runs, panics that are not noted.

use std::mem::{size_of, size_of_val};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{
    leaked_on_purpose, on_purpose, rounds, wait_until, Foreign, Log, Metered, Smuggled,
    TestPlatform,
};
use driver_scope::event::Kind;
use driver_scope::inspect::Details;
use driver_scope::platform::registration;
use driver_scope::platform::{Host, Sim};
use driver_scope::{enter, Binding, DriverScope, Error, MaySleep, Once, Restart};

mod common;
#[path = "own_kind/driver.rs"]
mod driver;
#[path = "own_kind/least.rs"]
mod least;
#[path = "own_kind/pins.rs"]
mod pins;

use driver::{Action, Counter, Device};
use pins::{AsCallback, Edges, Pins, PinsOfScope};

on_every_platform!(
    an_edge_calls_the_driver_until_the_remove,
    a_remove_waits_for_the_callback,
    a_call_that_waits_for_an_edge_is_woken,
    a_wait_that_lasts_is_reported,
    a_forgotten_handle_changes_nothing,
    a_callback_that_panics_is_not_called_again,
    a_callback_never_runs_beside_itself,
    an_edge_during_the_callback_is_not_lost,
    a_wait_for_oneself_is_a_deadlock,
    a_binding_may_be_dropped_in_such_a_callback,
    it_is_inspected_under_its_own_kind,
    what_the_source_refuses_ends_with_the_scope,
    without_memory_the_callback_is_dropped,
    everything_is_dropped_in_its_phase,
);

/// Safe code can nest a callback in a callback. That is no way to wait for oneself unseen: it would be a wait for ever, and so would the teardown's.
fn a_nested_callback_is_still_inside<P: TestPlatform>() {
    let platform = P::fresh();
    platform.lend_sleep(|cx| {
        let found = Mutex::new(None);
        enter(platform.clone(), cx, &found, |found, scope| {
            let (work, vacant) = scope.vacant_work()?;
            vacant.set(scope, move |w| {
                let cancelled = registration::callback(|| work.cancel(w.may_sleep()));
                *found.lock().unwrap() = Some(cancelled);
                Restart::No
            })?;
            work.queue()?;
            work.flush(cx)?;
            assert_eq!(*found.lock().unwrap(), Some(Err(Error::Deadlock)));
            Ok::<(), Error>(())
        })
        .unwrap();
    });
}

#[test]
fn on_host_a_nested_callback_is_still_inside() {
    a_nested_callback_is_still_inside::<Host>();
}

#[test]
fn on_sim_a_nested_callback_is_still_inside() {
    a_nested_callback_is_still_inside::<Sim>();
}

/// How the source's threads say to a platform that they run a callback.
trait CallsBack: TestPlatform {
    const AS_CALLBACK: AsCallback;
}
impl CallsBack for Host {
    const AS_CALLBACK: AsCallback = |f| registration::callback(f);
}
impl CallsBack for Sim {
    const AS_CALLBACK: AsCallback = |f| registration::callback(f);
}
impl CallsBack for Foreign {
    const AS_CALLBACK: AsCallback = |f| Foreign::callback(f);
}

type Bound<P> = Binding<Counter, Metered<P>>;

struct Setup<P: CallsBack> {
    platform: Metered<P>,
    pins: Pins,
    log: Log,
}

impl<P: CallsBack> Setup<P> {
    fn new() -> Self {
        let platform = Metered::fresh();
        let log = platform.log();
        let pins = Pins::new(P::AS_CALLBACK);
        Setup {
            platform,
            pins,
            log,
        }
    }

    fn bind(&self, at_edge: Option<Action>) -> Bound<P> {
        let device = Device {
            pins: self.pins.clone(),
            log: self.log.clone(),
            at_edge: Mutex::new(at_edge),
        };
        self.platform
            .lend_sleep(|cx| Binding::bind(self.platform.clone(), device, cx))
            .map_err(|failed| failed.error)
            .expect("it binds")
    }

    fn remove(&self, binding: Bound<P>) {
        self.platform
            .lend_sleep(|cx| drop(binding.unbind(cx).expect("may sleep")));
        self.log.add("removed");
    }

    /// Ends it all, and looks that nothing is left.
    fn end(self) {
        assert_eq!(self.pins.in_use(), 0);
        self.pins.stop();
        self.platform.assert_at_rest();
    }

    /// How many lines end like this.
    fn ends(&self, end: &str) -> usize {
        let lines = self.log.lines();
        lines.iter().filter(|line| line.ends_with(end)).count()
    }
}

fn seen<P: CallsBack>(binding: &Bound<P>) -> u32 {
    binding.with(|data| data.seen.load(SeqCst))
}

fn an_edge_calls_the_driver_until_the_remove<P: CallsBack>() {
    let setup = Setup::<P>::new();
    let called = Arc::new(AtomicU32::new(0));
    let count = called.clone();
    let binding = setup.bind(Some(Box::new(move |_| {
        count.fetch_add(1, SeqCst);
    })));
    for edges in 1..=3 {
        setup.pins.raise(7);
        wait_until(|| seen(&binding) == edges);
    }
    binding.with(|data| data.edges.raise());
    wait_until(|| seen(&binding) == 4);
    setup.remove(binding);
    setup.pins.raise(7);
    // The threads have been through all edges.
    setup.end();
    assert_eq!(called.load(SeqCst), 4);
}

fn a_remove_waits_for_the_callback<P: CallsBack>() {
    let setup = Setup::<P>::new();
    let inside = Arc::new(AtomicBool::new(false));
    let (log, flag) = (setup.log.clone(), inside.clone());
    let binding = setup.bind(Some(Box::new(move |_| {
        flag.store(true, SeqCst);
        wait_until(|| log.lines().iter().any(|l| l.ends_with(": shut down")));
        thread::sleep(Duration::from_millis(10));
        log.add("the callback ends");
    })));
    setup.pins.raise(7);
    wait_until(|| inside.load(SeqCst));
    setup.remove(binding);
    let mut lines = setup.log.lines();
    lines.retain(|line| ["the callback ends", "drop callback", "removed"].contains(&&**line));
    assert_eq!(lines, ["the callback ends", "drop callback", "removed"]);
    assert_eq!(setup.ends(": edge button: was running, waited for"), 1);
    setup.end();
}

fn a_call_that_waits_for_an_edge_is_woken<P: CallsBack>() {
    let setup = Setup::<P>::new();
    let binding = setup.bind(None);
    let port = binding.port().unwrap();
    let waits = AtomicBool::new(false);
    thread::scope(|threads| {
        let caller = threads.spawn(|| {
            port.call(|data| {
                setup.platform.lend_sleep(|cx| {
                    while data.seen.load(SeqCst) == 0 {
                        data.edges.raise();
                        thread::yield_now();
                    }
                    waits.store(true, SeqCst);
                    loop {
                        if let Err(error) = data.edges.wait_for_edge(cx) {
                            break error;
                        }
                    }
                })
            })
        });
        wait_until(|| waits.load(SeqCst));
        // If nothing woke the call, this would wait for it for ever.
        setup.remove(binding);
        assert_eq!(caller.join().unwrap(), Ok(Error::Closed));
    });
    drop(port);
    setup.end();
}

fn a_wait_that_lasts_is_reported<P: CallsBack>() {
    let setup = Setup::<P>::new();
    let inside = Arc::new(AtomicBool::new(false));
    let (log, flag) = (setup.log.clone(), inside.clone());
    let binding = setup.bind(Some(Box::new(move |_| {
        flag.store(true, SeqCst);
        let report = "still waiting for button";
        wait_until(|| log.lines().iter().any(|line| line.ends_with(report)));
    })));
    setup.pins.raise(7);
    wait_until(|| inside.load(SeqCst));
    setup.remove(binding);
    setup.end();
}

fn a_forgotten_handle_changes_nothing<P: CallsBack>() {
    let setup = Setup::<P>::new();
    let called = AtomicU32::new(0);
    setup.platform.lend_sleep(|cx| {
        let env = (&setup.pins, &called);
        enter(setup.platform.clone(), cx, &env, |(pins, called), scope| {
            let edges = scope.on_edge(pins, 1, |_| _ = called.fetch_add(1, SeqCst))?;
            leaked_on_purpose(edges);
            pins.raise(1);
            wait_until(|| called.load(SeqCst) == 1);
            Ok::<(), Error>(())
        })
        .unwrap();
    });
    setup.pins.raise(1);
    setup.end();
    assert_eq!(called.load(SeqCst), 1);
}

fn a_callback_that_panics_is_not_called_again<P: CallsBack>() {
    let setup = Setup::<P>::new();
    setup.platform.expect_panics();
    let other = AtomicU32::new(0);
    setup.platform.lend_sleep(|cx| {
        let env = (&setup.pins, &other);
        enter(setup.platform.clone(), cx, &env, |(pins, other), scope| {
            let calls = scope.own(AtomicU32::new(0))?;
            scope.named("bad").on_edge(pins, 1, move |_| {
                calls.fetch_add(1, SeqCst);
                on_purpose("an edge")
            })?;
            scope.on_edge(pins, 2, |_| _ = other.fetch_add(1, SeqCst))?;
            for edges in 1..=5 {
                pins.raise(1);
                pins.raise(2);
                wait_until(|| other.load(SeqCst) == edges);
            }
            wait_until(|| setup.ends(": bad panicked") == 1);
            assert_eq!(calls.load(SeqCst), 1);
            let mut states = Vec::new();
            scope.inspect(|item| {
                if let Details::Other(state) = item.details {
                    states.push(state);
                }
            });
            assert_eq!(states, ["on", "panicked"]);
            Ok::<(), Error>(())
        })
        .unwrap();
    });
    assert_eq!(setup.ends(": bad panicked"), 1);
    setup.end();
}

fn a_callback_never_runs_beside_itself<P: CallsBack>() {
    const RUNS: usize = rounds(100, 10);
    let setup = Setup::<P>::new();
    let [runs, inside] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let (count, here) = (runs.clone(), inside.clone());
    let binding = setup.bind(Some(Box::new(move |_| {
        assert_eq!(here.fetch_add(1, SeqCst), 0, "it ran already");
        thread::sleep(Duration::from_micros(50));
        here.fetch_sub(1, SeqCst);
        count.fetch_add(1, SeqCst);
    })));
    // Two threads see to them: those that meet a run are merged into the next.
    wait_until(|| {
        (0..10).for_each(|_| setup.pins.raise(7));
        runs.load(SeqCst) >= RUNS
    });
    setup.remove(binding);
    assert_eq!(inside.load(SeqCst), 0);
    setup.end();
}

fn an_edge_during_the_callback_is_not_lost<P: CallsBack>() {
    let setup = Setup::<P>::new();
    const AGAIN: u32 = rounds(100, 10);
    let mut left = AGAIN;
    let binding = setup.bind(Some(Box::new(move |edge| {
        if left > 0 {
            left -= 1;
            // The other thread finds this one inside, or comes after it.
            edge.raise_again();
            thread::sleep(Duration::from_micros(20));
        }
    })));
    setup.pins.raise(7);
    wait_until(|| seen(&binding) == AGAIN + 1);
    setup.remove(binding);
    setup.end();
}

fn a_wait_for_oneself_is_a_deadlock<P: CallsBack>() {
    let setup = Setup::<P>::new();
    // SAFETY: a proof without content, for a call that refuses it.
    let cx: Smuggled<MaySleep<'static>> = Smuggled::new(unsafe { MaySleep::assume() });
    let answer = Mutex::new(None);
    setup.platform.lend_sleep(|outside| {
        let env = (&setup.pins, &answer);
        enter(setup.platform.clone(), outside, &env, |env, scope| {
            let (pins, answer) = env;
            let own = scope.alloc(Once::new())?;
            let platform = scope.platform();
            let edges = scope.on_edge(pins, 1, move |_| {
                let edges: &Edges<'_, _> = own.get().expect("set");
                *answer.lock().unwrap() = Some(edges.synchronize(platform, cx.get()));
            })?;
            assert!(own.set(edges).is_ok());
            assert_eq!(edges.name().label(), None);
            edges.raise();
            wait_until(|| answer.lock().unwrap().is_some());
            assert_eq!(edges.synchronize(platform, outside), Ok(()));
            Ok::<(), Error>(())
        })
        .unwrap();
    });
    assert_eq!(*answer.lock().unwrap(), Some(Err(Error::Deadlock)));
    setup.end();
}

fn a_binding_may_be_dropped_in_such_a_callback<P: CallsBack>() {
    let setup = Setup::<P>::new();
    let shelf: Arc<Mutex<Option<Bound<P>>>> = Arc::default();
    let (log, own) = (setup.log.clone(), shelf.clone());
    let binding = setup.bind(Some(Box::new(move |_| {
        if let Some(binding) = own.lock().unwrap().take() {
            drop(binding);
            log.add("the callback ends");
        }
    })));
    *shelf.lock().unwrap() = Some(binding);
    setup.pins.raise(7);
    let gone = || setup.platform.meter().live() == 0 && setup.log.count("drop owned") == 1;
    setup.platform.meanwhile(|| wait_until(gone));
    let mut lines = setup.log.lines();
    lines.retain(|line| ["the callback ends", "drop callback"].contains(&&**line));
    assert_eq!(lines, ["the callback ends", "drop callback"]);
    setup.end();
}

fn it_is_inspected_under_its_own_kind<P: CallsBack>() {
    let setup = Setup::<P>::new();
    let binding = setup.bind(None);
    let mut found = 0;
    binding.inspect(|item| {
        if item.kind == Kind::Other("edge") {
            assert_eq!(item.to_string(), "edge button: on");
            found += 1;
        }
    });
    assert_eq!(found, 1);
    setup.remove(binding);
    assert_eq!(setup.ends(": edge button: was idle"), 1);
    setup.end();
}

fn what_the_source_refuses_ends_with_the_scope<P: CallsBack>() {
    let setup = Setup::<P>::new();
    setup.platform.lend_sleep(|cx| {
        let env = (&setup.pins, &setup.log);
        enter(setup.platform.clone(), cx, &env, |(pins, log), scope| {
            let calls = scope.own(AtomicU32::new(0))?;
            let _edges = scope.on_edge(pins, 1, move |_| _ = calls.fetch_add(1, SeqCst))?;
            let note = log.note("refused");
            let taken = scope.on_edge(pins, 1, move |_| _ = note.log());
            assert_eq!(taken.err(), Some(Error::Platform(-16)));
            assert_eq!(log.count("drop refused"), 0);
            // The first is not disturbed.
            pins.raise(1);
            wait_until(|| calls.load(SeqCst) == 1);
            Ok::<(), Error>(())
        })
        .unwrap();
    });
    assert_eq!(setup.log.count("drop refused"), 1);
    setup.end();
}

/// The closure finds no room, or the item after it.
fn without_memory_the_callback_is_dropped<P: CallsBack>() {
    let setup = Setup::<P>::new();
    let room = with_a_chunk(&setup, |scope| {
        (0..).take_while(|_| scope.alloc(0_u64).is_ok()).count()
    });
    let note = setup.log.note("refused");
    assert_eq!(size_of_val(&note), 4 * size_of::<u64>());
    drop(note);
    for (times, left) in [(2, 3), (3, 4), (4, 8)] {
        with_a_chunk(&setup, |scope| {
            for _ in left..room {
                scope.alloc(0_u64).unwrap();
            }
            let note = setup.log.note("refused");
            let refused = scope.on_edge(&setup.pins, 1, move |_| _ = note.log());
            assert_eq!(refused.err(), Some(Error::NoMemory));
            assert_eq!(setup.log.count("drop refused"), times);
            // Whether or not the closure had found room.
            assert_eq!(scope.alloc(0_u64).is_ok(), left != 4);
        });
    }
    setup.end();
}

/// Runs `f` in a scope that has one chunk of memory, and gets no more.
fn with_a_chunk<P: CallsBack, R>(
    setup: &Setup<P>,
    f: impl FnOnce(&DriverScope<'_, Metered<P>>) -> R,
) -> R {
    let meter = setup.platform.meter();
    let result = setup.platform.lend_sleep(|cx| {
        enter(setup.platform.clone(), cx, &(), |(), scope| {
            scope.alloc(0_u64).unwrap();
            meter.refuse_from(1);
            f(scope)
        })
    });
    meter.refuse_from(0);
    result
}

fn everything_is_dropped_in_its_phase<P: CallsBack>() {
    let setup = Setup::<P>::new();
    let binding = setup.bind(None);
    setup.remove(binding);
    let order = ["drop data", "drop callback", "drop owned", "removed"];
    let mut lines = setup.log.lines();
    lines.retain(|line| order.contains(&&**line));
    assert_eq!(lines, order);
    setup.end();
}
