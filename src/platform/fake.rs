//! A device for the unit tests of a driver: no model, but registers that hold what is written to them, actions, faults, and a script of what
//! the driver must do.
//!
//! A [`Fake`] is the [`Model`](crate::platform::Model) behind a [`Region`], so the driver under test is the one that runs everywhere else:
//! it is generic over its platform, and the test gives it [`Sim`](crate::platform::Sim) or [`Host`](crate::platform::Host).
//!
//! ```
//! use driver_scope::platform::fake::Fault;
//! # use driver_scope::platform::fake::Failed;
//! use driver_scope::platform::{Fake, Sim};
//! use driver_scope::*;
//!
//! // ---- the driver
//! registers! {
//!     pub AdcRegs: 0x10 {
//!         0x00 => ro ID: u16,
//!         0x02 => w1c DONE: u8,
//!         0x04 => wo START: u32,
//!         0x08 => ro SAMPLE: u32,
//!     }
//! }
//!
//! fn sample<P: Platform>(regs: Mmio<'_, AdcRegs, P>, channel: u32, how: Poll<'_, '_, P>) -> Result<u32, Error> {
//!     if regs.read(ID) != 0xadc0 {
//!         return Err(Error::NoDevice);
//!     }
//!     regs.write(START, channel);
//!     regs.poll(DONE, how, |done| done & 1 != 0)?;
//!     regs.clear(DONE, 1);
//!     Ok(regs.read(SAMPLE))
//! }
//!
//! // ---- its unit test
//! let fake = Fake::<AdcRegs>::new();
//! fake.set(ID, 0xadc0);
//! fake.on_write(START, |regs, channel| regs.set(SAMPLE, 1000 + channel));
//! fake.on_read(DONE, |regs| if regs.reads(DONE) == 3 { 1 } else { 0 }); // at the third look
//!
//! let sim = Sim::new();
//! fake.clock(&sim);
//! let with_driver = |channel| {
//!     sim.may_sleep(|cx| {
//!         enter(sim.clone(), cx, &fake.region(), |region, scope| {
//!             let how = Poll::sleeping(scope.platform(), cx, 10.micros(), 1.millis());
//!             sample(scope.map(region)?, channel, how)
//!         })
//!     })
//! };
//! assert_eq!(with_driver(2), Ok(1002));
//! assert_eq!(fake.log().to_string(), "\
//! no.         time  access  register  offset  bytes  value       remark
//!   1  0.000000000  read    ID        0x00        2  0xadc0
//!   2  0.000000000  write   START     0x04        4  0x00000002
//!   3  0.000000000  read    DONE      0x02        1  0x00
//!   4  0.000010000  read    DONE      0x02        1  0x00
//!   5  0.000020000  read    DONE      0x02        1  0x01
//!   6  0.000020000  write   DONE      0x02        1  0x01
//!   7  0.000020000  read    SAMPLE    0x08        4  0x000003ea
//! ");
//!
//! // It must do exactly this, in this order.
//! fake.expect().read(ID, 0xadc0).write(START, 3).read(DONE, 1).write(DONE, 1).read(SAMPLE, 7);
//! assert_eq!(with_driver(3), Ok(7));
//! fake.verify()?;
//!
//! // It must notice a conversion that never ends.
//! fake.fault(DONE, Fault::stuck_low(1));
//! assert_eq!(with_driver(4), Err(Error::TimedOut));
//! # Ok::<(), Failed>(())
//! ```
//!
//! # What a register does, if nobody says otherwise
//! It holds what is written to it, and zero at first. The bits of a `w1c` register are cleared by writing ones, an `rc` one is cleared by a read. An
//! access that is not exactly one register gets the bytes that lie there, and a remark in the log.
//!
//! # Actions
//! An action is called with no lock held, by whatever context accesses the device: several at a time, and in the midst of a driver's
//! callback. So it may use all of the [`Fake`] that it is lent, whose accesses are not the driver's and call no further action. It must neither
//! access the device as the driver does, nor let time pass, nor wait for what the driver may do next. A panic in it (an assertion, say) is not lost in the driver:
//! the access is answered with all ones, and [`verify`](Fake::verify) tells.
//!
//! An action that captures its own fake keeps it alive for ever; it is lent one, so there is no need.

use std::format;
use std::string::String;
use std::sync::Arc;
use std::thread;
use std::vec;
use std::vec::Vec;

use core::fmt;
use core::marker::PhantomData;

use crate::mmio::{
    Content, Endian, Extent, Holds, Item, Memory, Place, RegisterValue, Registers, Shape, SubBlock,
    What, Word,
};
use crate::platform::{Platform, Region};

mod device;
mod fault;
mod log;
mod map;
mod right;
mod script;
mod state;

pub use fault::Fault;
pub use log::Log;
pub use script::{Failed, Script};

use device::Device;
use map::Map;
use right::Right;
use state::Spot;

/// The value of a register at a place in the block `R`.
type ValueAt<G, R> = <<G as Place<R>>::Content as Holds>::Value;

/// The word of such a value.
type WordAt<G, R> = <ValueAt<G, R> as RegisterValue>::Word;

/// A scriptable device, or a part of one: a block of registers, or `[u8]`. See the [module](self).
///
/// Clones, and what [`block`](Fake::block), [`memory`](Fake::memory) and [`block_at`](Fake::block_at) return, are the same device.
///
/// When the last of them is dropped, there must be nothing left that [`verify`](Fake::verify) would tell: else it panics with that (unless the
/// thread is panicking already), so that a test that forgot to ask does not pass.
pub struct Fake<R: Extent + ?Sized> {
    device: Arc<Device>,
    /// Not in an action's, so that the test's last handle is what it says.
    owner: Option<Arc<Owner>>,
    at: Part,
    /// The block is a name for the test, not a value.
    _block: PhantomData<fn(*const R) -> *const R>,
}

/// Which part of the device a handle names.
#[derive(Clone)]
struct Part {
    base: usize,
    len: usize,
    /// What its registers' names begin with.
    path: Arc<str>,
}

/// What the test's handles share.
struct Owner {
    device: Arc<Device>,
    region: Region,
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Err(failed) = self.device.verify() {
            // A second panic would abort, and hide the first.
            if !thread::panicking() {
                panic!("a fake was dropped with this untold: {failed}");
            }
        }
    }
}

impl<R: Extent + ?Sized> Clone for Fake<R> {
    fn clone(&self) -> Self {
        self.part(self.at.clone())
    }
}

impl<R: Registers> Default for Fake<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Registers> Fake<R> {
    /// A device that is one block of registers, all zero.
    #[must_use]
    pub fn new() -> Self {
        let fake = Self::build(R::SIZE);
        fake.add_map();
        fake
    }

    /// Sets what a register holds. The driver's next read finds it, unless an action or a script says otherwise.
    pub fn set<G: Place<R>>(&self, place: G, value: ValueAt<G, R>)
    where
        G::Content: Holds,
    {
        self.device
            .set(&self.spot(place), word_to_bus::<R, _>(value));
    }

    /// What a register holds: what the driver has written last, or the test has [`set`](Fake::set).
    #[must_use]
    pub fn get<G: Place<R>>(&self, place: G) -> ValueAt<G, R>
    where
        G::Content: Holds,
    {
        word_from_bus::<R, _>(self.device.get(&self.spot(place)))
    }

    /// How often the driver has read a register so far; in an action on a read, this one counts.
    #[must_use]
    pub fn reads<G: Place<R>>(&self, place: G) -> usize
    where
        G::Content: Holds,
    {
        self.device.count(&self.spot(place), false)
    }

    /// How often the driver has written a register so far; in an action on a write, this one counts.
    #[must_use]
    pub fn writes<G: Place<R>>(&self, place: G) -> usize
    where
        G::Content: Holds,
    {
        self.device.count(&self.spot(place), true)
    }

    /// From now on, a read of the register is answered with what `action` returns, whatever it holds. In place of an earlier action.
    pub fn on_read<G: Place<R>>(
        &self,
        place: G,
        action: impl Fn(&Fake<R>) -> ValueAt<G, R> + Send + Sync + 'static,
    ) where
        G::Content: Holds,
    {
        let at = self.at.clone();
        let action = Arc::new(move |device: &Arc<Device>| {
            word_to_bus::<R, _>(action(&Fake::lent(device, &at)))
        });
        self.device.on_read(&self.spot(place), action);
    }

    /// From now on, a write of the register is an `action`, which is told the value. The register then holds what the action
    /// [sets](Fake::set): nothing new, if it does not. In place of an earlier action.
    pub fn on_write<G: Place<R>>(
        &self,
        place: G,
        action: impl Fn(&Fake<R>, ValueAt<G, R>) + Send + Sync + 'static,
    ) where
        G::Content: Holds,
    {
        let at = self.at.clone();
        let action = Arc::new(move |device: &Arc<Device>, bits| {
            action(&Fake::lent(device, &at), word_from_bus::<R, _>(bits));
        });
        self.device.on_write(&self.spot(place), action);
    }

    /// From now on, the register has a fault, beside those that it has.
    pub fn fault<G: Place<R>>(&self, place: G, fault: Fault<ValueAt<G, R>>)
    where
        G::Content: Holds,
    {
        let fault = fault.erased(word_to_bus::<R, ValueAt<G, R>>);
        self.device.fault(&self.spot(place), fault);
    }

    /// A nested block: `fake.block(CHANNEL.nth::<2>())`.
    #[must_use]
    pub fn block<G: Place<R, Content = SubBlock<B>>, B: Registers>(&self, block: G) -> Fake<B> {
        self.inner(block, B::SIZE)
    }

    /// A run of memory in the block.
    #[must_use]
    pub fn memory<G: Place<R, Content = Memory<SIZE>>, const SIZE: usize>(
        &self,
        memory: G,
    ) -> Fake<[u8]> {
        self.inner(memory, SIZE)
    }

    /// Tells the device what lies in this block.
    fn add_map(&self) {
        self.device.add_map(Map {
            base: self.at.base,
            path: (&*self.at.path).into(),
            endian: R::ENDIAN,
            items: R::ITEMS,
        });
    }

    fn inner<G: Place<R>, B: Extent + ?Sized>(&self, place: G, len: usize) -> Fake<B> {
        self.part(Part {
            base: self.at.base + place.offset(),
            len,
            path: format!("{}{}.", self.at.path, name(place)).into(),
        })
    }

    /// Where a register is in the device, and what is known of it.
    fn spot<G: Place<R>>(&self, place: G) -> Spot
    where
        G::Content: Holds,
    {
        Spot {
            offset: self.at.base + place.offset(),
            width: size_of::<WordAt<G, R>>(),
            name: format!("{}{}", self.at.path, name(place)),
            right: match <G::Content as Content>::WHAT {
                What::Register { access } => Right::of(access()),
                What::Block { .. } | What::Memory => Right::ReadWrite,
            },
            endian: R::ENDIAN,
        }
    }
}

impl Fake<[u8]> {
    /// A device whose region is this large, all zero: for a driver that maps `[u8]`. Its registers are named by [`block_at`](Fake::block_at).
    ///
    /// # Panics
    /// If `size` is more than [`isize::MAX`].
    #[must_use]
    pub fn of_size(size: usize) -> Self {
        Self::build(size)
    }

    /// What begins at `offset` as a block of registers. In the log their names begin with `name` and a point, unless it is empty.
    ///
    /// # Panics
    /// If it would end beyond the end.
    #[track_caller]
    #[must_use]
    pub fn block_at<B: Registers>(&self, offset: usize, name: &str) -> Fake<B> {
        self.check(offset, B::SIZE);
        let point = if name.is_empty() { "" } else { "." };
        let block: Fake<B> = self.part(Part {
            base: self.at.base + offset,
            len: B::SIZE,
            path: format!("{}{name}{point}", self.at.path).into(),
        });
        block.add_map();
        block
    }

    /// The bytes that it holds, `len` of them from `offset` on.
    ///
    /// # Panics
    /// If they would end beyond the end.
    #[track_caller]
    #[must_use]
    pub fn bytes(&self, offset: usize, len: usize) -> Vec<u8> {
        self.check(offset, len);
        let mut bytes = vec![0; len];
        self.device.bytes(self.at.base + offset, &mut bytes);
        bytes
    }

    /// Sets bytes, from `offset` on.
    ///
    /// # Panics
    /// If they would end beyond the end.
    #[track_caller]
    pub fn set_bytes(&self, offset: usize, bytes: &[u8]) {
        self.check(offset, bytes.len());
        self.device.set_bytes(self.at.base + offset, bytes);
    }

    #[track_caller]
    fn check(&self, offset: usize, len: usize) {
        assert!(
            len <= self.at.len && offset <= self.at.len - len,
            "{len:#x} bytes at offset {offset:#x} lie outside a fake of {:#x} bytes",
            self.at.len
        );
    }
}

impl<R: Extent + ?Sized> Fake<R> {
    fn build(size: usize) -> Self {
        let device = Arc::new(Device::new(size));
        let region = Device::region(&device);
        Fake {
            device: Arc::clone(&device),
            owner: Some(Arc::new(Owner { device, region })),
            at: Part {
                base: 0,
                len: size,
                path: "".into(),
            },
            _block: PhantomData,
        }
    }

    /// A handle for an action.
    fn lent(device: &Arc<Device>, at: &Part) -> Self {
        Fake {
            device: Arc::clone(device),
            owner: None,
            at: at.clone(),
            _block: PhantomData,
        }
    }

    fn part<B: Extent + ?Sized>(&self, at: Part) -> Fake<B> {
        Fake {
            device: Arc::clone(&self.device),
            owner: self.owner.clone(),
            at,
            _block: PhantomData,
        }
    }

    /// The device's region, to be a BAR of a [`PciDevice`](crate::PciDevice), or to be mapped.
    ///
    /// # Panics
    /// In an action: what is accessed has its region already.
    #[must_use]
    pub fn region(&self) -> Region {
        let owner = self.owner.as_ref();
        owner.expect("an action asks for no region").region.clone()
    }

    /// From now on, the log tells the time of each access.
    pub fn clock<P: Platform>(&self, platform: &P) {
        let platform = platform.clone();
        self.device.clock(Arc::new(move || platform.now()));
    }

    /// Pulls the device out, for good: reads are answered with all ones, writes are lost.
    pub fn remove(&self) {
        self.remove_after(0);
    }

    /// Pulls the device out after so many further accesses. To try each moment, test in a loop that ends when the driver
    /// is done before.
    pub fn remove_after(&self, accesses: usize) {
        self.device.remove_after(accesses);
    }

    /// Begins the script of what the driver must do next, or goes on with it.
    ///
    /// From now on until [`verify`](Fake::verify), the driver must do exactly this, in this order, on the whole device. Where it does anything
    /// else it has left the script: from there on reads are answered with all ones and writes are lost, as of a device that is not there, and `verify` tells.
    /// (There is no panic on the spot: in a callback it would be caught with the driver's own.)
    pub fn expect(&self) -> Script<'_, R> {
        self.device.begin_script();
        Script::new(self)
    }

    /// Whether the driver has done what the [script](Fake::expect) said, and no action has panicked. Ends the script: what comes next is free.
    ///
    /// # Errors
    /// What was otherwise: its `Display` and `Debug` are a table with the place marked. It is told once.
    pub fn verify(&self) -> Result<(), Failed> {
        self.device.verify()
    }

    /// What the driver has done so far; prints as a table.
    #[must_use]
    pub fn log(&self) -> Log {
        self.device.log()
    }
}

impl<R: Extent + ?Sized> fmt::Debug for Fake<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Fake<{}>({}{:#x})",
            core::any::type_name::<R>(),
            self.at.path,
            self.at.base
        )
    }
}

/// `STATUS`, or `CHANNEL[2]`.
fn name<R, G: Place<R>>(place: G) -> String {
    let name = <G::Item as Item>::NAME;
    match <<G::Item as Item>::Shape as Shape>::STRIDE {
        0 => name.into(),
        stride => format!(
            "{name}[{}]",
            (place.offset() - <G::Item as Item>::OFFSET) / stride
        ),
    }
}

/// What the bus carries for a value: it takes each device for a little-endian one.
fn word_to_bus<R: Registers, V: RegisterValue>(value: V) -> u64 {
    swapped::<R, _>(value.to_word()).to_u64()
}

/// The value of what the bus carries.
fn word_from_bus<R: Registers, V: RegisterValue>(bits: u64) -> V {
    V::from_word(swapped::<R, _>(V::Word::truncate(bits)))
}

fn swapped<R: Registers, W: Word>(word: W) -> W {
    match R::ENDIAN {
        Endian::Little => word,
        Endian::Big => word.swap_bytes(),
    }
}
