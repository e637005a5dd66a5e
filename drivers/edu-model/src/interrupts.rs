//! The interrupt status and what it does to the outside.

/// The interrupt unit.
#[derive(Debug, Default)]
pub(crate) struct Interrupts {
    status: u32,
    messages: u64,
}

impl Interrupts {
    pub(crate) fn status(&self) -> u32 {
        self.status
    }

    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// Sets `bits`. A message goes out whenever some bit is set then, be it an old one.
    pub(crate) fn raise(&mut self, bits: u32) {
        self.status |= bits;
        if self.status != 0 {
            self.messages += 1;
        }
    }

    /// Clears `bits`.
    pub(crate) fn acknowledge(&mut self, bits: u32) {
        self.status &= !bits;
    }
}
