//! One register read, twice: check-free in the driver, and by `Devres::try_access` outside of it.
//!
//! ```sh
//! cargo run --example nova-timer
//! ```
//!
//! The device is a GPU's timer, the one of the RFC for nova-core of February 2025, whose BAR 0 was behind a `Devres`. So a method that read a
//! register could fail, or was handed a guard by a caller who could. Here `drivers/nova-timer` reads it by a handle that cannot outlive the driver, and
//! [`OutsideTimer`] does so in the RFC's way. Both are right, in their place: the driver's own code runs only while there is a driver; a
//! thread of somebody else runs as long as it likes.
//!
//! 1. Both read the same time, with the same register reads. One has a check and a way to fail more. (What such a check costs is in
//!    `docs/benchmarks.md`.)
//! 2. An alarm is set for the very time at which the counter carries from its low word into its high one.
//! 3. The driver is removed in the middle of reading, and with the alarm set. Outside, a read is `None` from then on. Inside there is nothing that
//!    could read any more, and outside nothing that could call it. Whoever tries,
//!
//! ```ignore
//! let _device = binding.unbind(cx)?;
//! let late = binding.with(|nova| nova.timer.now());
//! ```
//!
//! is told so when it is compiled:
//!
//! ```text
//! error[E0382]: borrow of moved value: `binding`
//! |
//! |     let _device = binding.unbind(cx)?;
//! |                           ---------- `binding` moved due to this method call
//! |     let late = binding.with(|nova| nova.timer.now());
//! |                ^^^^^^^ value borrowed here after move
//! ```
//!
//! and likewise, who takes the handle away to keep it:
//!
//! ```text
//! error: lifetime may not live long enough
//! |
//! |     let kept = binding.with(|nova| nova.timer);
//! |                              ----- ^^^^^^^^^^ returning this value requires that `'1` must outlive `'2`
//! |                              |   |
//! |                              |   return type of closure is nova_timer::Timer<'2, Host>
//! |                              has type `&NovaData<'1, Host>`
//! ```
//!
//! The exit status says whether all of it was so.
#![forbid(unsafe_code)]

use std::any::type_name_of_val;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{process, thread};

use driver_scope::platform::{Host, Platform};
use driver_scope::{Binding, MaySleep, Units};
use nova_timer::NovaTimer;
use nova_timer_model::NovaModel;

mod outside;

use outside::OutsideTimer;

type Error = Box<dyn std::error::Error>;

/// When the low word of the time is about to overflow, in nanoseconds of the device..
const FIRST_CARRY: u64 = 1 << 60;
/// ..and how long that is from the start.
const CARRY_IN: u64 = 100_000_000;
/// How long it may all take, several times over.
const LIMIT: Duration = Duration::from_secs(30);

fn main() -> Result<(), Error> {
    // That nothing hangs is a part of what is shown.
    thread::spawn(|| {
        thread::sleep(LIMIT);
        eprintln!("something hangs");
        process::exit(2);
    });
    let host = Host::new()?;
    host.may_sleep(|cx| run(&host, cx))
}

fn run(host: &Host, cx: MaySleep<'_>) -> Result<(), Error> {
    let clock = host.clone();
    let begin = FIRST_CARRY - CARRY_IN - host.now().as_nanos();
    let model = Arc::new(NovaModel::new(move || begin + clock.now().as_nanos()));
    let binding: Binding<NovaTimer, Host> =
        Binding::bind(host.clone(), model.pci_device()?, cx).map_err(|failed| failed.error)?;
    let outside = binding.with_scope(cx, |nova, scope| {
        let registers = nova.timer.registers().into_devres(scope)?.devres();
        Ok::<_, driver_scope::Error>(OutsideTimer { registers })
    })?;

    println!("1. a read of the time");
    let inside = binding.with(|nova| Read::of(&model, || nova.timer.now()));
    let devres = Read::of(&model, || outside.now());
    println!("                                    in the driver    outside, by Devres");
    let row = |what: &str, inside: &str, devres: &str| {
        println!("   {what:<32} {inside:<16} {devres}");
    };
    row("type of what it gives", inside.gives, devres.gives);
    row("register reads", &inside.accesses, &devres.accesses);
    row("checks that the device is there", "0", "1");
    let ways = |gives: &str| usize::from(gives != "u64").to_string();
    row(
        "ways to fail, for each caller",
        &ways(inside.gives),
        &ways(devres.gives),
    );
    check(inside.gives == "u64", "in the driver it cannot fail")?;
    check(devres.gives == "Option<u64>", "outside it can")?;
    check(
        inside.accesses == "3" && devres.accesses == "3",
        "it is three register reads",
    )?;
    let before = binding.with(|nova| nova.timer.now());
    let between = outside.now().ok_or("not there")?;
    let after = binding.with(|nova| nova.timer.now());
    check(
        before <= between && between <= after,
        "both read the same clock",
    )?;

    println!("\n2. an alarm for when the counter carries");
    binding.with(|nova| nova.alarm.set(FIRST_CARRY))?;
    let ring = loop {
        if let Some(ring) = binding.with(|nova| nova.alarm.last()) {
            break ring?;
        }
        host.sleep(cx, 1.millis());
    };
    println!("   due {:#x}, rang at {:#x}", ring.due, ring.at);
    check(ring.due == FIRST_CARRY, "it is the one that was set")?;
    check(ring.at >= ring.due, "it does not ring too early")?;

    println!("\n3. the driver is removed, while all of them read");
    remove_while_reading(host, &model, binding, outside, cx)
}

fn remove_while_reading(
    host: &Host,
    model: &NovaModel,
    binding: Binding<NovaTimer, Host>,
    outside: OutsideTimer<Host>,
    cx: MaySleep<'_>,
) -> Result<(), Error> {
    let inside = Arc::new(Tally::default());
    let tally = Arc::clone(&inside);
    binding.with_scope(cx, |nova, scope| {
        let timer = nova.timer;
        // In the driver's world: it reads as often as it likes, and does not ask.
        let reader = scope.named("reader").hrtimer(move |t| {
            tally.note(timer.now());
            t.restart_after(20.micros())
        })?;
        reader.start(0.nanos())?;
        // Will not come: the driver goes first.
        nova.alarm.set(timer.now() + 3_600_000_000_000)
    })?;

    // A plain thread, which nothing ties to the driver. It hears of the removal by its read.
    let devres = Arc::new(Tally::default());
    let tally = Arc::clone(&devres);
    let reader = thread::spawn(move || {
        while let Some(time) = outside.now() {
            tally.note(time);
        }
        outside
    });
    while inside.reads.load(Relaxed) < 100 || devres.reads.load(Relaxed) < 10_000 {
        host.sleep(cx, 1.millis());
    }

    let begun = Instant::now();
    let _device = binding.unbind(cx)?;
    let took = begun.elapsed();
    let outside = reader.join().map_err(|_| "a thread crashed")?;
    let (reads, accesses) = (inside.reads.load(Relaxed), model.accesses());
    host.sleep(cx, 50.millis());

    println!("   the remove took {:.2} ms", took.as_secs_f64() * 1e3);
    println!(
        "   in the driver: {reads} reads until then; afterwards {}, and no way to call one",
        inside.reads.load(Relaxed) - reads
    );
    println!(
        "   outside: {} reads until then; now it gives {:?}, each time",
        devres.reads.load(Relaxed),
        outside.now()
    );
    check(
        inside.reads.load(Relaxed) == reads && model.accesses() == accesses,
        "nothing reads the device after the remove",
    )?;
    check(outside.now().is_none(), "outside a read is refused")?;
    check(
        inside.backwards.load(Relaxed) == 0 && devres.backwards.load(Relaxed) == 0,
        "time does not go back",
    )
}

/// What a read of the time needs.
struct Read {
    gives: &'static str,
    accesses: String,
}

impl Read {
    fn of<T>(model: &NovaModel, read: impl Fn() -> T) -> Self {
        let before = model.accesses();
        let gives = type_name_of_val(&read());
        let accesses = model.accesses() - before;
        Read {
            gives: gives.trim_start_matches("core::option::"),
            accesses: accesses.to_string(),
        }
    }
}

/// What a reader has seen.
#[derive(Default)]
struct Tally {
    reads: AtomicU64,
    last: AtomicU64,
    backwards: AtomicU64,
}

impl Tally {
    fn note(&self, time: u64) {
        if self.last.swap(time, Relaxed) > time {
            self.backwards.fetch_add(1, Relaxed);
        }
        self.reads.fetch_add(1, Relaxed);
    }
}

fn check(holds: bool, what: &str) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(format!("NOT SO: {what}").into())
    }
}
