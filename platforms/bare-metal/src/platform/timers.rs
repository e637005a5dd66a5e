//! Timers: a queue for each processor, whose interrupt controller has an alarm for it.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;

use driver_scope::timer::queue::{Due, Medium, Monitor, Queue};
use driver_scope::timer::{Clock, TimerMode};
use driver_scope::{Error, Instant};

use crate::machine::cpu::{self, CPUS};
use crate::machine::lock::Spin;
use crate::machine::{apic, clock};

/// How many callbacks one interrupt makes at most, so that timers that restart themselves at once let the processor go on now and then.
const BATCH: usize = 32;
/// How often a wait that lasts is reported, in nanoseconds.
const STALL: u64 = 1_000_000_000;

/// The timers of the machine.
pub struct Alarms;

/// How many callbacks each processor has made. Relaxed: a count, which orders nothing.
static CALLS: [AtomicUsize; CPUS] = [const { AtomicUsize::new(0) }; CPUS];

/// How many callbacks of timers a processor has made.
pub fn calls(cpu: usize) -> usize {
    CALLS[cpu].load(Relaxed)
}

static QUEUES: [Spin<Queue<Medium>>; CPUS] = [const { Spin::new(Queue::new()) }; CPUS];

// SAFETY: all access to a queue is under its lock. The interrupt of the processor that it belongs to makes each call that it takes out without the
// lock, then notes its end; who waits looks again all the time, so nobody need be woken. The numbers are those of processors.
unsafe impl Monitor for Alarms {
    type Size = Medium;

    fn here(&self, mode: TimerMode) -> Result<usize, Error> {
        match (mode.clock, mode.soft) {
            (Clock::Monotonic, false) => Ok(cpu::this().number()),
            _ => Err(Error::Unsupported),
        }
    }

    unsafe fn with<R>(&self, queue: usize, f: impl FnOnce(&mut Queue<Medium>) -> R) -> R {
        QUEUES[queue].with(f)
    }

    unsafe fn wait<R>(
        &self,
        queue: usize,
        mut f: impl FnMut(&mut Queue<Medium>) -> Option<R>,
        stalled: &dyn Fn(),
    ) -> R {
        let mut report = clock::now() + STALL;
        loop {
            if let Some(result) = QUEUES[queue].with(&mut f) {
                return result;
            }
            spin_loop();
            if clock::now() > report {
                stalled();
                report = clock::now() + STALL;
            }
        }
    }

    fn alarm(&self, queue: usize) {
        if queue == cpu::this().number() {
            set_alarm();
        } else {
            apic::interrupt(queue, apic::TIMER);
        }
    }
}

/// Sets the alarm of this processor for whatever comes first.
fn set_alarm() {
    // Only this processor sets it, so with interrupts masked what is looked at and what is set are of one moment; what changes after it asks for
    // another look.
    cpu::mask();
    let cpu = cpu::this();
    let expiry = QUEUES[cpu.number()].with(|queue| queue.next_expiry());
    let first = expiry
        .map_or(u64::MAX, Instant::as_nanos)
        .min(cpu.wake.load(Relaxed));
    apic::start_timer(match first {
        u64::MAX => 0,
        at => clock::apic_ticks(at.saturating_sub(clock::now())),
    });
    cpu::unmask();
}

/// The interrupt of the alarm, or of another processor that asks for a look.
pub fn expire() {
    let queue = &QUEUES[cpu::this().number()];
    for _ in 0..BATCH {
        let now = Instant::from_nanos(clock::now());
        let Due::Call(call) = queue.with(|queue| queue.take_due(now)) else {
            break;
        };
        // SAFETY: just taken out, and `finished` comes next; the lock is free.
        cpu::callback(|| unsafe { call.make() });
        queue.with(Queue::finished);
        CALLS[cpu::this().number()].fetch_add(1, Relaxed);
    }
    set_alarm();
}

/// Waits, with the processor asleep where it can be.
pub fn sleep(delay: Duration) {
    let nanos = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
    let until = clock::now().saturating_add(nanos);
    let cpu = cpu::this();
    // That of who sleeps already, and was interrupted by a handler that should not.
    let outer = cpu.wake.swap(until, Relaxed);
    set_alarm();
    while clock::now() < until {
        cpu::wait_unless(|| clock::now() >= until);
    }
    cpu.wake.store(outer, Relaxed);
    set_alarm();
}
