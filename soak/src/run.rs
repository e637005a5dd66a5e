//! A plan from its begin to its end.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once};
use std::thread;
use std::time::Duration;

use driver_scope::platform::{Host, HostSections, IrqLine, Sim};
use driver_scope::sections::Counted;
use driver_scope::{Revocable, Units};
use fastrand::Rng;

use crate::book::{lock, Book, OnPurpose};
use crate::checks::{check_rest, Ended, Fault};
use crate::driver::Device;
use crate::ground::{FencedSections, Ground, World};
use crate::many::under_way;
use crate::outside::{caught, Outsider};
use crate::owner::Owner;
use crate::plan::{Form, Machine, Plan, Readers};
use crate::report::Count;
use crate::shared::Common;
use crate::watch::{Mine, Watch};

/// Runs a plan on `Host`. What is noted of it has all that was wrong.
pub fn on_host(plan: &Plan, book: &Arc<Book>) {
    let host: Host = Host::builder()
        .timer_threads(plan.timer_threads)
        .tracer(|_| {})
        .build()
        .expect("some threads");
    book.count(Count::Plans);
    on(plan, book, host);
}

/// Runs a plan on a new `Sim`, and returns a number that tells its transcript from others.
#[must_use]
pub fn on_sim(plan: &Plan, sim: Sim, book: &Arc<Book>) -> u64 {
    on(plan, book, sim.clone());
    let mut hasher = DefaultHasher::new();
    (book.transcript(), sim.log()).hash(&mut hasher);
    hasher.finish()
}

fn on<P: crate::ground::Base>(plan: &Plan, book: &Arc<Book>, base: P) {
    quiet();
    match plan.readers {
        Readers::Counted => {
            book.count(Count::Counted);
            run(plan, Ground::<P, Counted>::around(base, book));
        }
        Readers::Fenced => {
            book.count(Count::Fenced);
            run(plan, Ground::<P, FencedSections>::around(base, book));
        }
        Readers::Own => {
            book.count(Count::OwnReaders);
            run(plan, Ground::<P, HostSections>::around(base, book));
        }
    }
}

/// Panics that a plan wants are not told.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<OnPurpose>() {
                loud(info);
                // Where a panic ends the process, nobody else would say.
                eprintln!("under way were:{}", under_way());
            }
        }));
    });
}

/// Whether a handler panics, of a driver or of its children.
fn handlers_panic(machine: &Machine) -> bool {
    machine.irqs.iter().any(|irq| irq.callback.panics.is_some())
        || machine.children.iter().any(handlers_panic)
}

/// For so many milliseconds it is waited for what follows the end of a driver.
pub(crate) const PATIENCE: u32 = 10_000;

fn run<P: World>(plan: &Plan, platform: P) {
    let book = Arc::clone(platform.book());
    let outside = Watch::new(&book, "outside".into(), false);
    outside.built.store(true, SeqCst);
    let revocables = plan.revocables.iter().map(|&panics| {
        let mine = Mine::new(&outside, None, panics);
        (
            Revocable::new(platform.clone(), mine),
            AtomicBool::new(false),
        )
    });
    let common = Arc::new(Common {
        lines: std::array::from_fn(|_| IrqLine::new()),
        revocables: revocables.collect(),
        levels: !handlers_panic(&plan.machine),
        shelf: Mutex::default(),
        site: Mutex::default(),
        nested: AtomicUsize::new(0),
        lent: Mutex::default(),
        ports: Mutex::default(),
        hardware: Mutex::default(),
    });
    let disorderly = plan.lack.is_some();
    let device = Device::new(&plan.machine, "driver", disorderly, &common, &platform);
    let machines = device.parts();
    platform.refuse(plan.lack.filter(|lack| !lack.late));
    let mut ended = Vec::new();
    among_others(plan, &platform, &common, |owner, later| {
        match plan.form {
            Form::Bound => owner.bound(device),
            Form::Entered => {
                owner.entered(&device);
                drop(device);
            }
        }
        for (watch, hardware, region) in machines {
            ended.push(Ended::new(watch, hardware, region));
        }
        later();
    });
    platform.refuse(None);
    faults(&book, &platform, &common, &outside, &ended);
    ended.iter().for_each(Ended::check_later);
    drop(ended);
    // What is left of the world: each drop may panic, as it should.
    for lent in std::mem::take(&mut *lock(&common.lent)) {
        caught(&book, || drop(lent));
    }
    lock(&common.ports).clear();
    // A device that was dropped elsewhere may still be on its way.
    for _ in 0..PATIENCE {
        if Arc::strong_count(&common) == 1 {
            break;
        }
        platform.pass(1.millis());
    }
    match Arc::into_inner(common) {
        Some(common) => {
            for (revocable, _) in common.revocables {
                caught(&book, || drop(revocable));
            }
        }
        None => book.wrong("somebody still has a device"),
    }
    check_rest(&platform, &book);
}

/// Has the owner do its part, and the world do what it does at the same time. The second function that the owner gets lets the world go on for a while.
fn among_others<P: World>(
    plan: &Plan,
    platform: &P,
    common: &Arc<Common<P>>,
    owner: impl FnOnce(&Owner<'_, P>, &dyn Fn()),
) {
    let mut outsiders: Vec<_> = plan
        .scripts
        .iter()
        .map(|script| Outsider::new(common, platform, script))
        .collect();
    if P::REAL_TIME {
        /// Also when the owner panics.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, SeqCst);
            }
        }
        let stop = AtomicBool::new(false);
        thread::scope(|threads| {
            for mut outsider in outsiders {
                let stop = &stop;
                threads.spawn(move || {
                    while outsider.has_more() || !stop.load(SeqCst) {
                        outsider.step();
                        thread::yield_now();
                    }
                });
            }
            let _stop = Stop(&stop);
            let owner_of = Owner {
                plan,
                platform,
                common,
                meanwhile: &|| {},
            };
            owner(&owner_of, &|| thread::sleep(Duration::from_micros(100)));
        });
    } else {
        // Another stream than that of the plan.
        let world = RefCell::new((Rng::with_seed(plan.seed ^ 1), &mut outsiders));
        let turn = || {
            let (rng, outsiders) = &mut *world.borrow_mut();
            for _ in 0..rng.u32(0..4) {
                let which = rng.usize(0..outsiders.len());
                outsiders[which].step();
                platform.pass(rng.u64(0..40).micros());
            }
        };
        let owner_of = Owner {
            plan,
            platform,
            common,
            meanwhile: &turn,
        };
        owner(&owner_of, &|| (0..8).for_each(|_| turn()));
    }
}

/// What is done wrong on purpose, and at the end.
fn faults<P: World>(
    book: &Arc<Book>,
    platform: &P,
    common: &Common<P>,
    outside: &Arc<Watch>,
    ended: &[Ended],
) {
    match book.fault {
        Some(Fault::ValueKept) => std::mem::forget(Mine::new(outside, None, false)),
        Some(Fault::PanicLost) => _ = book.thrown.fetch_add(1, SeqCst),
        Some(Fault::RevokedRead) => {
            for (which, (_, revoked)) in common.revocables.iter().enumerate() {
                revoked.store(true, SeqCst);
                crate::acts::revocable(common, which, book, || ());
            }
        }
        Some(Fault::MemoryReached) => {
            for ended in ended {
                ended.reach_memory(platform);
            }
        }
        Some(Fault::LentAfter) => {
            // What is lent by a driver that is there, as if it were not.
            crate::checks::lend_after(platform, outside);
        }
        _ => {}
    }
}
