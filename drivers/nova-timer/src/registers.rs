//! The device's registers, named as NVIDIA names them.
//!
//! Where they are from: `NV_PTIMER`, 0x9000 to 0x9fff, of NVIDIA's open-gpu-doc (`manuals/volta/gv100/dev_timer.ref.txt`; the files of Turing and
//! Ampere say the same). `NV_PTIMER_TIME_0` and `NV_PTIMER_TIME_1` are not in those files; they are in the MIT-licensed headers of NVIDIA's
//! open-gpu-kernel-modules (`src/common/inc/swref/published/maxwell/gm107/dev_timer.h`).

use driver_scope::{register_values, registers};

registers! {
    /// BAR 0, as far as this driver goes.
    pub Bar0: 0xa000 {
        /// The timer.
        0x9000 => block PTIMER: Ptimer,
    }

    /// `NV_PTIMER`. The manual says that the time can also be set; this driver has no business to, and so cannot.
    pub Ptimer: 0x1000 {
        /// The low word of the time.
        0x400 => ro TIME_0: Low,
        /// The high word of the time.
        0x410 => ro TIME_1: High where !0 is gone,
    }
}

/// What `TIME_0` holds: field `NSEC`, 31:5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Low(u32);

/// What `TIME_1` holds: field `NSEC`, 28:0. Bits 31:29 belong to no field. Should they read as ones after all, then all ones are still the
/// last four seconds of 73 years, so that they tell that the device is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct High(u32);

impl Low {
    /// Of the register's word.
    pub const fn new(word: u32) -> Self {
        Low(word)
    }

    /// The register's word.
    pub const fn word(self) -> u32 {
        self.0
    }

    /// Its part of the time, in nanoseconds.
    pub const fn nanos(self) -> u64 {
        (self.0 & 0xffff_ffe0) as u64
    }
}

impl High {
    /// Of the register's word.
    pub const fn new(word: u32) -> Self {
        High(word)
    }

    /// The register's word.
    pub const fn word(self) -> u32 {
        self.0
    }

    /// Its part of the time, in nanoseconds.
    pub const fn nanos(self) -> u64 {
        ((self.0 & 0x1fff_ffff) as u64) << 32
    }
}

register_values! {
    Low: u32 = new, word;
    High: u32 = new, word;
}
