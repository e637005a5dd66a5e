//! The time: the processors' time stamp counters, which go together, measured once by the machine's event timer.

use core::arch::x86_64::_rdtsc;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use super::apic;
use super::boot::address;

/// The event timer (HPET): its rate is in a register.
const HPET: u64 = 0xfed0_0000;
const CAPABILITIES: u64 = 0;
const CONFIGURATION: u64 = 0x10;
const COUNTER: u64 = 0xf0;

/// How long to measure, in nanoseconds.
const MEASURE: u64 = 4_000_000;

// Relaxed, all of them: they are written before the second processor is started, and never again.

/// The counter at the begin of time.
static START: AtomicU64 = AtomicU64::new(0);
/// Nanoseconds for each of its ticks, times 2 to the 32.
static NANOS: AtomicU64 = AtomicU64::new(0);
/// Ticks of the interrupt controllers' timers for each nanosecond, times 2 to the 32.
static APIC_TICKS: AtomicU64 = AtomicU64::new(0);

fn hpet(register: u64) -> u64 {
    // SAFETY: the event timer is mapped and not cached; its registers are 64 bits, and reading those named above changes nothing. [MACHINE]
    unsafe { address::<u64>(HPET + register).read_volatile() }
}

fn counter() -> u64 {
    // SAFETY: there is no processor in 64-bit mode without it. [MACHINE]
    unsafe { _rdtsc() }
}

/// The counter, the event timer and what is left of the interrupt controller's timer at one moment: as near to each other as in the best of a few
/// attempts, since something may come between.
fn all() -> (u64, u64, u32) {
    let attempts = (0..16).map(|_| {
        let before = counter();
        let events = hpet(COUNTER);
        let left = apic::timer_left();
        let after = counter();
        (after - before, (before.midpoint(after), events, left))
    });
    let best = attempts.min_by_key(|(apart, _)| *apart);
    best.map(|(_, readings)| readings).unwrap_or_default()
}

/// Measures the counters. On the first processor, whose interrupt controller is set up.
///
/// # Panics
/// If there is no event timer, or it stands.
pub fn set_up() {
    // Femtoseconds for each of its ticks.
    let period = hpet(CAPABILITIES) >> 32;
    assert!((1..=100_000_000).contains(&period), "no event timer");
    // SAFETY: has it count; it interrupts nobody. [MACHINE]
    unsafe { address::<u64>(HPET + CONFIGURATION).write_volatile(1) };
    apic::start_timer(u32::MAX);
    let (start, start_events, start_left) = all();
    let ticks = MEASURE * 1_000_000 / period;
    while hpet(COUNTER).wrapping_sub(start_events) < ticks {
        core::hint::spin_loop();
    }
    let (end, end_events, left) = all();
    apic::start_timer(0);
    let nanos = u128::from(end_events.wrapping_sub(start_events)) * u128::from(period) / 1_000_000;
    let scaled = (nanos << 32) / u128::from(end - start);
    NANOS.store(scaled as u64, Relaxed);
    let ticks = u128::from(start_left - left);
    APIC_TICKS.store(((ticks << 32) / nanos) as u64, Relaxed);
    START.store(counter(), Relaxed);
}

/// Nanoseconds since the set-up.
#[inline]
pub fn now() -> u64 {
    nanos(counter())
}

fn nanos(counter: u64) -> u64 {
    // The other processor's may be behind by a little.
    let ticks = counter.saturating_sub(START.load(Relaxed));
    // 584 years fit.
    ((u128::from(ticks) * u128::from(NANOS.load(Relaxed))) >> 32) as u64
}

/// The same, and by the event timer since some other begin, at one moment.
pub fn by_both() -> (u64, u64) {
    let (counter, events, _) = all();
    let period = u128::from(hpet(CAPABILITIES) >> 32);
    // 584 years fit.
    let events = (u128::from(events) * period / 1_000_000) as u64;
    (nanos(counter), events)
}

/// Ticks of this processor's timer for so many nanoseconds: at least one, at most as many as it can count.
pub fn apic_ticks(nanos: u64) -> u32 {
    let ticks = (u128::from(nanos) * u128::from(APIC_TICKS.load(Relaxed))) >> 32;
    u32::try_from(ticks).unwrap_or(u32::MAX).max(1)
}

/// Lets time pass without giving up the processor.
pub fn wait(delay: Duration) {
    let start = now();
    // A delay of centuries never ends either way.
    while u128::from(now() - start) < delay.as_nanos() {
        core::hint::spin_loop();
    }
}

/// In ticks of the counter and of the timers for each microsecond.
pub fn rates() -> (u64, u64) {
    let per_micro = |scaled: u64| ((u128::from(scaled) * 1000) >> 32) as u64;
    let nanos = NANOS.load(Relaxed).max(1);
    (
        (1000u128 << 32).checked_div(u128::from(nanos)).unwrap_or(0) as u64,
        per_micro(APIC_TICKS.load(Relaxed)),
    )
}
