//! The network driver. It lends its buffers to whatever network stack it is given.

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use driver_scope::{Driver, DriverScope, Lock, Mmio, PciDevice, Platform};

use crate::device::{NicRegs, MTU, RX_DATA, RX_DONE, RX_FRAMES, RX_LENGTH, TX_DATA, TX_SEND};

/// How many receive buffers a driver has.
pub const BUFFERS: usize = 8;

/// What a network stack must have to be given packets.
///
/// Packets are lent for `'drv`, the time in which the driver is bound. A stack that wants to keep some needs a place for them that ends no
/// later: that is its `Inlet`.
pub trait Stack: Send + Sync + 'static {
    /// The stack's part inside a driver. It belongs to the driver's scope, and may hold packets.
    type Inlet<'drv, P: Platform>: Clone + Send + Sync;

    /// The stack meets a driver.
    fn attach<'drv, P: Platform>(&'drv self) -> Self::Inlet<'drv, P>;

    /// Takes a packet, which may be kept. Context: that of a timer's callback.
    fn receive<'drv, P: Platform>(inlet: &Self::Inlet<'drv, P>, packet: Packet<'drv, P>);
}

/// The driver, for a stack.
pub struct Nic<S>(PhantomData<S>);

/// What it is bound to.
pub struct NicDevice<S, P: Platform> {
    pub pci: PciDevice<P>,
    pub stack: S,
    /// Outlives the driver, so that one can look at it afterwards.
    pub counts: Counts,
}

/// Buffers that the driver has lent, and those that were given back.
#[derive(Default)]
pub struct Counts {
    lent: AtomicU32,
    returned: AtomicU32,
}

impl Counts {
    pub fn lent(&self) -> u32 {
        self.lent.load(Relaxed)
    }

    pub fn returned(&self) -> u32 {
        self.returned.load(Relaxed)
    }
}

/// The driver while it is bound.
pub struct NicData<'drv, S: Stack, P: Platform> {
    regs: Mmio<'drv, NicRegs, P>,
    /// How many frames were sent; the lock is for the registers as well.
    sent: &'drv Lock<u32, P>,
    inlet: S::Inlet<'drv, P>,
}

impl<S: Stack, P: Platform> Driver<P> for Nic<S> {
    type Device = NicDevice<S, P>;
    type Data<'drv> = NicData<'drv, S, P>;
    type Error = Error;

    fn probe<'drv>(
        dev: &'drv NicDevice<S, P>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<NicData<'drv, S, P>, Error> {
        const PERIOD: Duration = Duration::from_micros(100);

        let regs = scope.named("BAR 0").map::<NicRegs>(dev.pci.bar(0)?)?;
        let buffers = (0..BUFFERS).map(|_| Vec::with_capacity(MTU)).collect();
        let pool = Pool {
            spare: scope.named("buffers").own(Lock::new(buffers))?,
            counts: &dev.counts,
        };
        let sent = scope.named("sent").own(Lock::new(0))?;

        let inlet = dev.stack.attach();
        let receiver = inlet.clone();
        let poll = scope.named("poll").hrtimer(move |t| {
            // Until there is no frame, or no buffer: the stack keeps them all. Then the frames stay in the card.
            while let Some(packet) = fetch(regs, pool) {
                S::receive(&receiver, packet);
            }
            t.forward(PERIOD)
        })?;
        poll.start(PERIOD)?;

        Ok(NicData { regs, sent, inlet })
    }

    // No `remove`: there is nothing to be taken back from the stack.
}

/// Takes a frame out of the card.
fn fetch<'drv, P: Platform>(
    regs: Mmio<'drv, NicRegs, P>,
    pool: Pool<'drv, P>,
) -> Option<Packet<'drv, P>> {
    if regs.read_or_gone(RX_FRAMES).ok()? == 0 {
        return None;
    }
    let mut packet = pool.take()?;
    // The card is not trusted with the length.
    let length = MTU.min(regs.read(RX_LENGTH) as usize);
    while packet.bytes.len() < length {
        let word = regs.take(RX_DATA).to_le_bytes();
        let rest = length - packet.bytes.len();
        packet.bytes.extend(word.iter().take(rest));
    }
    regs.write(RX_DONE, 1);
    Some(packet)
}

impl<'drv, S: Stack, P: Platform> NicData<'drv, S, P> {
    /// Sends a frame.
    ///
    /// Context: any.
    pub fn transmit(&self, frame: &[u8]) -> Result<(), Error> {
        if frame.len() > MTU {
            return Err(Error::TooLong);
        }
        let mut sent = self.sent.lock();
        if self.regs.read_or_gone(RX_FRAMES).is_err() {
            return Err(Error::PulledOut);
        }
        for part in frame.chunks(4) {
            let mut word = [0; 4];
            word[..part.len()].copy_from_slice(part);
            self.regs.write(TX_DATA, u32::from_le_bytes(word));
        }
        self.regs.write(TX_SEND, frame.len() as u32);
        *sent += 1;
        Ok(())
    }

    /// How many frames were sent.
    pub fn sent(&self) -> u32 {
        *self.sent.lock()
    }

    /// The stack's part in this driver.
    pub fn inlet(&self) -> &S::Inlet<'drv, P> {
        &self.inlet
    }
}

/// The driver's buffers: those that nobody has at the moment.
struct Pool<'drv, P: Platform> {
    spare: &'drv Lock<Vec<Vec<u8>>, P>,
    counts: &'drv Counts,
}

impl<P: Platform> Clone for Pool<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Pool<'_, P> {}

impl<'drv, P: Platform> Pool<'drv, P> {
    fn take(self) -> Option<Packet<'drv, P>> {
        let bytes = self.spare.lock().pop()?;
        self.counts.lent.fetch_add(1, Relaxed);
        Some(Packet { bytes, pool: self })
    }
}

/// A received frame, in a buffer of the driver, which gets it back when this is dropped.
///
/// It can be kept and passed on wherever `'drv` is known; nothing that outlives the driver can hold it.
pub struct Packet<'drv, P: Platform> {
    bytes: Vec<u8>,
    pool: Pool<'drv, P>,
}

impl<P: Platform> Deref for Packet<'_, P> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<P: Platform> Drop for Packet<'_, P> {
    fn drop(&mut self) {
        let mut bytes = mem::take(&mut self.bytes);
        bytes.clear();
        self.pool.counts.returned.fetch_add(1, Relaxed);
        self.pool.spare.lock().push(bytes);
    }
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// An error of the scope, or of the port.
    Core(driver_scope::Error),
    /// The frame is longer than [`MTU`].
    TooLong,
    /// The card has been pulled out.
    PulledOut,
}

impl From<driver_scope::Error> for Error {
    fn from(error: driver_scope::Error) -> Self {
        Error::Core(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Core(error) => error.fmt(f),
            Error::TooLong => f.write_str("the frame is too long"),
            Error::PulledOut => f.write_str("the card has been pulled out"),
        }
    }
}

impl std::error::Error for Error {}
