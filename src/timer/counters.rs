//! What a timer counts of its own life, for who inspects it.

use core::sync::atomic;
use core::time::Duration;

use crate::inspect;
use crate::platform::TimerState;
use crate::sync::{AtomicUsize, Ordering};
use crate::time::Instant;

/// All accesses are relaxed: each number stands for itself. Nobody decides anything by one, or reads other memory because of it; who reads
/// several may find one older than another.
///
/// All but `merged` are written by the context that runs the callback, and by no other at the time; the mark of the run orders
/// it after the last one. So a load and a store make a count, with no locked instruction.
pub(crate) struct Counters {
    runs: Count,
    missed: Count,
    merged: Count,
    refused: Count,
    latest: Longest<UNIT>,
    longest: Longest<UNIT>,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Counters {
            runs: Count::new(),
            missed: Count::new(),
            merged: Count::new(),
            refused: Count::new(),
            latest: Longest::new(),
            longest: Longest::new(),
        }
    }

    /// The callback is about to run, for an expiry.
    #[inline]
    pub(crate) fn begin(&self, expires: Instant, now: Instant) {
        self.runs.add(1);
        self.latest.note(expires, now);
    }

    /// The callback is over, by return or by panic.
    #[inline]
    pub(crate) fn end(&self, begun: Instant, now: Instant, missed: u64) {
        self.longest.note(begun, now);
        if missed != 0 {
            self.missed.add(missed);
        }
    }

    /// What the callback asked for was refused.
    pub(crate) fn refused(&self) {
        self.refused.add(1);
    }

    /// An expiry met the callback running. From any number of contexts at once.
    pub(crate) fn merged(&self) {
        self.merged.add_shared();
    }

    pub(crate) fn report(&self, state: TimerState) -> inspect::Timer {
        inspect::Timer {
            armed: state.armed,
            running: state.running,
            expires: state.expires,
            vacant: false,
            panicked: false,
            runs: self.runs.get(),
            missed: self.missed.get(),
            merged: self.merged.get(),
            refused: self.refused.get(),
            latest: self.latest.get(),
            longest: self.longest.get(),
        }
    }
}

/// A count that stops at its end. Of the size of a word, since not every machine has larger atomics.
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn new() -> Self {
        Count(AtomicUsize::new(0))
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed) as u64
    }

    /// By the one context that may.
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        let more = usize::try_from(more).unwrap_or(usize::MAX);
        let sum = self.0.load(Ordering::Relaxed).saturating_add(more);
        self.0.store(sum, Ordering::Relaxed);
    }

    /// One more, by the one context that may, in as few instructions as can be. A word of 64 bits does not come to its end.
    #[inline(always)]
    pub(crate) fn one_more(&self) {
        if usize::BITS < 64 {
            return self.add(1);
        }
        let count = self.0.load(Ordering::Relaxed).wrapping_add(1);
        self.0.store(count, Ordering::Relaxed);
    }

    fn add_shared(&self) {
        let one_more = |count: usize| count.checked_add(1);
        // An error says that the count is at its end, where it stays.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
    }
}

/// In what spans are counted, in nanoseconds: what fits a word must last for a while. 32 bits of microseconds last 71 minutes.
const UNIT: u64 = if usize::BITS < 64 { 1_000 } else { 1 };

/// The longest of some spans of time, in units of so many nanoseconds, rounded up.
///
/// The machine's own atomics: to the models each access would be one more point at which threads may change places, for a number that no model is
/// about. (Time stands still there.)
struct Longest<const UNIT: u64>(atomic::AtomicUsize);

impl<const UNIT: u64> Longest<UNIT> {
    fn new() -> Self {
        Longest(atomic::AtomicUsize::new(0))
    }

    fn get(&self) -> Duration {
        Duration::from_nanos((self.0.load(Ordering::Relaxed) as u64).saturating_mul(UNIT))
    }

    /// By the one context that may.
    #[inline]
    fn note(&self, from: Instant, to: Instant) {
        let nanos = to.as_nanos().saturating_sub(from.as_nanos());
        let so_far = self.0.load(Ordering::Relaxed) as u64;
        // Multiplied on the common path, divided on the other.
        if nanos > so_far.saturating_mul(UNIT) {
            let units = usize::try_from(nanos.div_ceil(UNIT)).unwrap_or(usize::MAX);
            self.0.store(units, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn ns(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn a_count_stops_at_its_end() {
        let count = Count::new();
        count.add(usize::MAX as u64 - 1);
        count.add(1);
        assert_eq!(count.get(), usize::MAX as u64);
        count.add(u64::MAX);
        assert_eq!(count.get(), usize::MAX as u64);
        count.add_shared();
        assert_eq!(count.get(), usize::MAX as u64);
    }

    #[test]
    fn the_longest_span_stays() {
        let longest = Longest::<1>::new();
        longest.note(ns(10), ns(30));
        longest.note(ns(40), ns(59));
        assert_eq!(longest.get(), Duration::from_nanos(20));
        // A clock that went back.
        longest.note(ns(70), ns(60));
        assert_eq!(longest.get(), Duration::from_nanos(20));
        longest.note(ns(0), Instant::MAX);
        assert_eq!(longest.get(), Duration::from_nanos(u64::MAX));
    }

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn a_word_of_64_bits_is_of_nanoseconds() {
        let longest = Longest::<UNIT>::new();
        longest.note(ns(0), ns(1_001));
        assert_eq!(longest.get(), Duration::from_nanos(1_001));
    }

    #[test]
    fn a_span_in_units_is_rounded_up() {
        let longest = Longest::<1_000>::new();
        longest.note(ns(0), ns(1_001));
        assert_eq!(longest.get(), Duration::from_micros(2));
        longest.note(ns(0), ns(2_000));
        assert_eq!(longest.get(), Duration::from_micros(2));
        longest.note(ns(0), ns(2_001));
        assert_eq!(longest.get(), Duration::from_micros(3));
    }
}
