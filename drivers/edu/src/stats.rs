use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// What the driver has done so far. Counters of their own, read one by one: no order between them is promised.
#[derive(Debug, Default)]
pub struct Stats {
    polls: AtomicU32,
    computed: AtomicU32,
    failed: AtomicU32,
    samples: AtomicU32,
    busy: AtomicU32,
    missed: AtomicU32,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Looks at the status register while a factorial was being computed.
    pub polls: u32,
    /// Factorials computed.
    pub computed: u32,
    /// Factorials given up.
    pub failed: u32,
    /// Periodic samples taken.
    pub samples: u32,
    /// Samples that found the device computing.
    pub busy: u32,
    /// Samples that came too late to be taken.
    pub missed: u32,
}

impl Stats {
    pub(crate) fn poll(&self) {
        self.polls.fetch_add(1, Relaxed);
    }

    pub(crate) fn finished(&self, computed: bool) {
        let counter = if computed {
            &self.computed
        } else {
            &self.failed
        };
        counter.fetch_add(1, Relaxed);
    }

    pub(crate) fn sample(&self, busy: bool) {
        self.samples.fetch_add(1, Relaxed);
        self.busy.fetch_add(busy.into(), Relaxed);
    }

    pub(crate) fn missed(&self, samples: u64) {
        // More than four thousand million missed samples are as bad as four thousand million.
        self.missed
            .fetch_add(samples.try_into().unwrap_or(u32::MAX), Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            polls: self.polls.load(Relaxed),
            computed: self.computed.load(Relaxed),
            failed: self.failed.load(Relaxed),
            samples: self.samples.load(Relaxed),
            busy: self.busy.load(Relaxed),
            missed: self.missed.load(Relaxed),
        }
    }
}
