use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// What the driver has done so far. Counters of their own, read one by one: no order between them is promised.
#[derive(Debug, Default)]
pub struct Stats {
    interrupts: AtomicU32,
    computed: AtomicU32,
    transferred: AtomicU32,
    failed: AtomicU32,
    samples: AtomicU32,
    busy: AtomicU32,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Interrupts of the device.
    pub interrupts: u32,
    /// Factorials computed.
    pub computed: u32,
    /// Transfers made.
    pub transferred: u32,
    /// Factorials and transfers given up.
    pub failed: u32,
    /// Periodic samples taken.
    pub samples: u32,
    /// Samples that found the device computing.
    pub busy: u32,
}

impl Stats {
    pub(crate) fn interrupted(&self) {
        self.interrupts.fetch_add(1, Relaxed);
    }

    pub(crate) fn transferred(&self, done: bool) {
        let counter = if done {
            &self.transferred
        } else {
            &self.failed
        };
        counter.fetch_add(1, Relaxed);
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

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            interrupts: self.interrupts.load(Relaxed),
            computed: self.computed.load(Relaxed),
            transferred: self.transferred.load(Relaxed),
            failed: self.failed.load(Relaxed),
            samples: self.samples.load(Relaxed),
            busy: self.busy.load(Relaxed),
        }
    }
}
