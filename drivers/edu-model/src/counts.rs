//! How often the device was accessed.

/// What became of the transfers of a model that has [memory](crate::EduModel::with_memory), so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferCounts {
    /// That were made.
    pub made: u64,
    /// That were not, since they would have left the device's buffer.
    pub out_of_range: u64,
    /// That were refused by the memory, in either direction.
    pub refused: u64,
    /// Of all three, those whose address of memory had bits that the device has not.
    pub clamped: u64,
}

/// How often a model was accessed, and how often in vain. Each count is of CPU accesses: one that
/// arrives in pieces counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccessCounts {
    /// All reads, whatever they were answered.
    pub reads: u64,
    /// All writes, whatever came of them.
    pub writes: u64,
    /// Of these, the ones of which some part met no register of its width and direction: a wrong
    /// width, a wrong alignment, an unknown offset, a read of a write-only register or a write of a
    /// read-only one.
    pub unserved: u64,
    /// Of the writes, the ones ignored because the unit they are for was busy: to the factorial
    /// register while computing, to a DMA register during a transfer.
    pub busy: u64,
    /// Of all, the ones after the device was removed. They count in neither of the two above.
    pub removed: u64,
}
