//! Access to registers that are known to be there.

use crate::error::Error;
use crate::mmio::access::{self, WordOf};
use crate::mmio::{
    ClearedByOnes, ClearedByRead, Endian, Holds, Memory, Mmio, Modifiable, Place, Readable,
    RegisterValue, Registers, SubBlock, TellsGone, Word, Writable,
};
use crate::platform::{Bus, Platform};

/// The value of a register at a place in the block `R`.
type ValueAt<G, R> = <<G as Place<R>>::Content as Holds>::Value;

impl<'drv, R: Registers, P: Platform> Mmio<'drv, R, P> {
    /// Reads a register, ordered: later reads of memory come after it. One instruction, and a barrier where the machine needs one.
    ///
    /// Context: any.
    #[inline(always)]
    #[must_use = "a read that is made for its effect alone says so: `let _ = ..`"]
    pub fn read<G: Place<R>>(self, register: G) -> ValueAt<G, R>
    where
        G::Content: Readable<G::Item>,
    {
        self.load::<_, true>(register)
    }

    /// Reads a register, without order against memory: one instruction on a real machine.
    ///
    /// Context: any.
    #[inline(always)]
    #[must_use = "a read that is made for its effect alone says so: `let _ = ..`"]
    pub fn read_relaxed<G: Place<R>>(self, register: G) -> ValueAt<G, R>
    where
        G::Content: Readable<G::Item>,
    {
        self.load::<_, false>(register)
    }

    /// Writes a register, ordered: it comes after all earlier writes to memory. One instruction, and a barrier where the machine needs one.
    ///
    /// Context: any. When it returns, the write may still be on its way to the device (on PCI, writes are posted): a read of the same device waits for it.
    #[inline(always)]
    pub fn write<G: Place<R>>(self, register: G, value: ValueAt<G, R>)
    where
        G::Content: Writable<G::Item>,
    {
        self.store::<_, true>(register, value);
    }

    /// Writes a register, without order against memory: one instruction on a real machine.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn write_relaxed<G: Place<R>>(self, register: G, value: ValueAt<G, R>)
    where
        G::Content: Writable<G::Item>,
    {
        self.store::<_, false>(register, value);
    }

    /// Reads a register, and writes back what `change` makes of its value, both ordered.
    ///
    /// **Nothing protects what lies between.** If another context writes the register meanwhile, that write is lost, and so is what the device changed by
    /// itself. A register that several contexts modify belongs in a [`Lock`](crate::Lock), with the handle or the value to be written.
    ///
    /// Context: any; `change` runs with no lock held.
    #[inline(always)]
    pub fn modify<G: Place<R>>(
        self,
        register: G,
        change: impl FnOnce(ValueAt<G, R>) -> ValueAt<G, R>,
    ) where
        G::Content: Modifiable<G::Item>,
    {
        self.store::<_, true>(register, change(self.load::<_, true>(register)));
    }

    /// [`modify`](Mmio::modify) without order against memory.
    #[inline(always)]
    pub fn modify_relaxed<G: Place<R>>(
        self,
        register: G,
        change: impl FnOnce(ValueAt<G, R>) -> ValueAt<G, R>,
    ) where
        G::Content: Modifiable<G::Item>,
    {
        self.store::<_, false>(register, change(self.load::<_, false>(register)));
    }

    /// Reads a register that is cleared by that, or a FIFO that moves on. Ordered.
    ///
    /// Context: any. What has been read is nowhere else any more.
    #[inline(always)]
    #[must_use = "what has been read is nowhere else any more"]
    pub fn take<G: Place<R>>(self, register: G) -> ValueAt<G, R>
    where
        G::Content: ClearedByRead<G::Item>,
    {
        self.load::<_, true>(register)
    }

    /// Clears the bits of a register that are set in `bits`, by writing just these. Ordered.
    ///
    /// Context: any. To acknowledge what has been seen, and nothing that came since: `regs.clear(CAUSES, seen)`.
    #[inline(always)]
    pub fn clear<G: Place<R>>(self, register: G, bits: ValueAt<G, R>)
    where
        G::Content: ClearedByOnes<G::Item>,
    {
        self.store::<_, true>(register, bits);
    }

    /// Reads a register, and tells whether the device is still there: for registers that are declared with `where !0 is gone`.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::Gone`] if it reads as all ones, or if the platform [knows otherwise](Bus::vanished) that the device has vanished.
    #[inline]
    pub fn read_or_gone<G: Place<R>>(self, register: G) -> Result<ValueAt<G, R>, Error>
    where
        G::Content: Readable<G::Item> + TellsGone<G::Item>,
    {
        self.look(register)
    }

    /// A block inside this one: `regs.block(CHANNEL.at(2)?)`.
    #[inline(always)]
    #[must_use]
    pub fn block<G: Place<R, Content = SubBlock<B>>, B: Registers>(
        self,
        block: G,
    ) -> Mmio<'drv, B, P> {
        // SAFETY: of the same mapping; a `Place` lies inside its block, is as large as its content `B`, and aligned as that asks for. [PLACE, MAPPED]
        unsafe { Mmio::new(P::Bus::part(self.io, block.offset()), ()) }
    }

    /// A run of memory inside the block, to be copied from and to.
    #[inline(always)]
    #[must_use]
    pub fn memory<G: Place<R, Content = Memory<SIZE>>, const SIZE: usize>(
        self,
        memory: G,
    ) -> Mmio<'drv, [u8], P> {
        // SAFETY: of the same mapping; a `Place` lies inside its block, is `SIZE` bytes large, and aligned to `REGION_ALIGN`. [PLACE, MAPPED]
        unsafe { Mmio::new(P::Bus::part(self.io, memory.offset()), SIZE) }
    }

    /// Reads; the value with `Error::Gone` for a device that is not there.
    pub(super) fn look<G: Place<R>>(self, register: G) -> Result<ValueAt<G, R>, Error>
    where
        G::Content: Holds,
    {
        let word = self.load_word::<_, true>(register);
        // SAFETY: `io` is of a mapping that lasts throughout `'drv`. [MAPPED]
        let vanished = unsafe { P::Bus::vanished(self.io, swapped::<R, _>(word)) };
        if vanished || access::tells_gone::<G::Content>(word) {
            return Err(Error::Gone);
        }
        Ok(RegisterValue::from_word(word))
    }

    #[inline(always)]
    fn load<G: Place<R>, const ORDERED: bool>(self, register: G) -> ValueAt<G, R>
    where
        G::Content: Holds,
    {
        RegisterValue::from_word(self.load_word::<_, ORDERED>(register))
    }

    #[inline(always)]
    fn load_word<G: Place<R>, const ORDERED: bool>(self, register: G) -> WordOf<G::Content>
    where
        G::Content: Holds,
    {
        let offset = register.offset();
        // SAFETY: the mapping lasts throughout `'drv`, which this handle cannot outlive. A `Place` lies inside its block, which lies inside the
        // mapping, and is aligned in it as the width asks for; the block itself is as well. [PLACE, MAPPED]
        let word: WordOf<G::Content> = unsafe {
            if ORDERED {
                P::Bus::read(self.io, offset)
            } else {
                P::Bus::read_relaxed(self.io, offset)
            }
        };
        swapped::<R, _>(word)
    }

    #[inline(always)]
    fn store<G: Place<R>, const ORDERED: bool>(self, register: G, value: ValueAt<G, R>)
    where
        G::Content: Holds,
    {
        let offset = register.offset();
        let word = swapped::<R, _>(value.to_word());
        // SAFETY: as in `load_word`. [PLACE, MAPPED]
        unsafe {
            if ORDERED {
                P::Bus::write(self.io, offset, word);
            } else {
                P::Bus::write_relaxed(self.io, offset, word);
            }
        }
    }
}

/// A bus takes each device for a little-endian one.
#[inline(always)]
fn swapped<R: Registers, W: Word>(word: W) -> W {
    match R::ENDIAN {
        Endian::Little => word,
        Endian::Big => word.swap_bytes(),
    }
}

impl<R: Registers, P: Platform> Mmio<'_, R, P> {
    /// How many bytes the block covers.
    #[must_use]
    pub const fn size(self) -> usize {
        R::SIZE
    }
}
