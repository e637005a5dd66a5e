//! Timers: a queue for each processor, whose interrupt controller has an alarm for it; and one for work, which the second processor does outside
//! interrupts.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;

use driver_scope::timer::queue::{Due, Medium, Monitor, Queue};
use driver_scope::timer::{Clock, TimerMode};
use driver_scope::{Error, Instant};

use crate::machine::cpu::{self, CPUS};
use crate::machine::lock::Spin;
use crate::machine::{apic, clock};
use crate::platform::worker;

/// How many callbacks are made at once, so that timers that restart themselves at once let the processor go on now and then, and work lets the worker.
const BATCH: usize = 32;
/// How often a wait that lasts is reported, in nanoseconds.
const STALL: u64 = 1_000_000_000;

/// How long to sleep between two looks at work that is waited for.
const WORK_PAUSE: Duration = Duration::from_micros(20);

/// The timers of the machine.
pub struct Alarms;

/// How many callbacks each processor has made. Relaxed: a count, which orders nothing.
static CALLS: [AtomicUsize; CPUS] = [const { AtomicUsize::new(0) }; CPUS];

/// How many callbacks of timers a processor has made.
pub fn calls(cpu: usize) -> usize {
    CALLS[cpu].load(Relaxed)
}

/// The number of the queue for work, after those of the processors.
const WORK: usize = CPUS;

static QUEUES: [Spin<Queue<Medium>>; CPUS + 1] = [const { Spin::new(Queue::new()) }; CPUS + 1];

// SAFETY: all access to a queue is under its lock. The interrupt of the processor that it belongs to, or the worker, makes each call that it takes out without
// the lock, then notes its end; who waits looks again all the time, so nobody need be woken. There is a queue for each number. [PROMISE]
unsafe impl Monitor for Alarms {
    type Size = Medium;

    fn here(&self, mode: TimerMode) -> Result<usize, Error> {
        match (mode.clock, mode.soft) {
            (Clock::Monotonic, false) if mode.may_sleep() => Ok(WORK),
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
            // Work may sleep: who waits for it had better, too.
            if queue == WORK {
                sleep(WORK_PAUSE);
            } else {
                spin_loop();
            }
            if clock::now() > report {
                stalled();
                report = clock::now() + STALL;
            }
        }
    }

    fn alarm(&self, queue: usize) {
        if queue == WORK {
            worker::wake();
        } else if queue == cpu::this().number() {
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
        // SAFETY: just taken out, and `finished` comes next; the lock is free. [QUEUED]
        cpu::callback(|| unsafe { call.make() });
        queue.with(Queue::finished);
        CALLS[cpu::this().number()].fetch_add(1, Relaxed);
    }
    set_alarm();
}

/// For the worker: does some of the work that is due. Says whether there was any.
pub fn work() -> bool {
    for done in 0..BATCH {
        let now = Instant::from_nanos(clock::now());
        let Due::Call(call) = QUEUES[WORK].with(|queue| queue.take_due(now)) else {
            return done > 0;
        };
        // SAFETY: just taken out, and `finished` comes next; no lock and no handler here. [QUEUED]
        cpu::callback(|| unsafe { call.make() });
        QUEUES[WORK].with(Queue::finished);
    }
    true
}

/// For the worker: waits for an interrupt, or until work is due; unless `stay` says that there is something else to be done.
pub fn wait_for_work(stay: impl FnOnce() -> bool) {
    let next = || QUEUES[WORK].with(|queue| queue.next_expiry());
    let first = next();
    let cpu = cpu::this();
    cpu.wake
        .store(first.map_or(u64::MAX, Instant::as_nanos), Relaxed);
    set_alarm();
    // What was armed since would be missed by the alarm, and its interrupt may have come already.
    let is_due = |at: Instant| at.as_nanos() <= clock::now();
    cpu::wait_unless(|| stay() || next() != first || first.is_some_and(is_due));
    cpu.wake.store(u64::MAX, Relaxed);
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
