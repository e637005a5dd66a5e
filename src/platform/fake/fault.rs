//! What is wrong with a register.

use crate::mmio::RegisterValue;

/// A fault of a register: what is wrong with its reads, or its writes.
///
/// ```
/// # use driver_scope::platform::fake::Fault;
/// # let _: [Fault<u32>; 3] = [
/// Fault::reads_ones().after(3).times(1), // three good reads, a bad one, and good ones again
/// Fault::stuck_high(0x1),                // for good
/// Fault::loses_writes().times(1),        // the first write
/// # ];
/// ```
///
/// The answers of a [script](crate::platform::Fake::expect) have none.
#[derive(Clone, Copy, Debug)]
#[must_use = "a fault is one when it is given to `Fake::fault`"]
pub struct Fault<V> {
    kind: Kind<V>,
    count: Count,
}

/// What is wrong.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<V> {
    ReadsOnes,
    StuckHigh(V),
    StuckLow(V),
    LosesWrites,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    /// So many accesses are spared.
    after: usize,
    /// So many are not, after these. `None`: all.
    times: Option<usize>,
}

impl<V: RegisterValue> Fault<V> {
    const fn new(kind: Kind<V>) -> Self {
        Fault {
            kind,
            count: Count {
                after: 0,
                times: None,
            },
        }
    }

    /// Reads as all ones, as if the device were not there.
    pub const fn reads_ones() -> Self {
        Self::new(Kind::ReadsOnes)
    }

    /// These bits read as ones.
    pub const fn stuck_high(bits: V) -> Self {
        Self::new(Kind::StuckHigh(bits))
    }

    /// These bits read as zeros.
    pub const fn stuck_low(bits: V) -> Self {
        Self::new(Kind::StuckLow(bits))
    }

    /// Is not reached by writes; no action hears of them.
    pub const fn loses_writes() -> Self {
        Self::new(Kind::LosesWrites)
    }

    /// The same, but so many accesses of the kind (reads, or writes) are spared first.
    pub const fn after(mut self, accesses: usize) -> Self {
        self.count.after = accesses;
        self
    }

    /// The same, but so many accesses of the kind have it, and no more.
    pub const fn times(mut self, accesses: usize) -> Self {
        self.count.times = Some(accesses);
        self
    }

    /// The same with its bits as the bus carries them.
    pub(super) fn erased(self, bits: fn(V) -> u64) -> Armed {
        let kind = match self.kind {
            Kind::ReadsOnes => Kind::ReadsOnes,
            Kind::StuckHigh(value) => Kind::StuckHigh(bits(value)),
            Kind::StuckLow(value) => Kind::StuckLow(bits(value)),
            Kind::LosesWrites => Kind::LosesWrites,
        };
        Armed {
            kind,
            count: self.count,
        }
    }
}

/// A fault that a register has.
pub(super) struct Armed {
    kind: Kind<u64>,
    count: Count,
}

impl Armed {
    /// Whether an access has the fault. Counts it if it is of the kind.
    pub(super) fn hits(&mut self, write: bool) -> Option<Kind<u64>> {
        if write != matches!(self.kind, Kind::LosesWrites) {
            return None;
        }
        if self.count.after > 0 {
            self.count.after -= 1;
            return None;
        }
        match &mut self.count.times {
            None => {}
            Some(0) => return None,
            Some(left) => *left -= 1,
        }
        Some(self.kind)
    }
}
