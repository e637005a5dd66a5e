//! What the driver must do.

use std::format;
use std::string::String;
use std::vec::Vec;

use core::fmt;

use crate::mmio::{Endian, Extent, Holds, Place, Registers, Word};
use crate::platform::fake::log::{Access, Log, Names};
use crate::platform::fake::right::Right;
use crate::platform::fake::state::Spot;
use crate::platform::fake::{word_to_bus, Fake, ValueAt};

/// What the driver must do next, step by step: see [`Fake::expect`].
///
/// Steps in several blocks of a device are of one script, in the order in which they are written: `fake.block(CHANNEL.nth::<1>()).expect()..`.
pub struct Script<'f, R: Extent + ?Sized> {
    fake: &'f Fake<R>,
}

impl<'f, R: Extent + ?Sized> Script<'f, R> {
    pub(super) fn new(fake: &'f Fake<R>) -> Self {
        Script { fake }
    }

    fn step(self, write: bool, spot: Spot, value: Option<u64>) -> Self {
        self.fake.device.add_step(Step { write, spot, value });
        self
    }
}

impl<R: Registers> Script<'_, R> {
    /// It must read the register, and is answered with `value`: whatever is held there, which stays as it is.
    pub fn read<G: Place<R>>(self, place: G, value: ValueAt<G, R>) -> Self
    where
        G::Content: Holds,
    {
        let spot = self.fake.spot(place);
        self.step(false, spot, Some(word_to_bus::<R, _>(value)))
    }

    /// It must read the register, and is answered as without a script: by an action, or with what is held there.
    pub fn read_held<G: Place<R>>(self, place: G) -> Self
    where
        G::Content: Holds,
    {
        let spot = self.fake.spot(place);
        self.step(false, spot, None)
    }

    /// It must write this value to the register, which then does what it does without a script.
    pub fn write<G: Place<R>>(self, place: G, value: ValueAt<G, R>) -> Self
    where
        G::Content: Holds,
    {
        let spot = self.fake.spot(place);
        self.step(true, spot, Some(word_to_bus::<R, _>(value)))
    }

    /// It must write the register, with any value.
    pub fn write_any<G: Place<R>>(self, place: G) -> Self
    where
        G::Content: Holds,
    {
        let spot = self.fake.spot(place);
        self.step(true, spot, None)
    }
}

impl Script<'_, [u8]> {
    /// It must read a `T` at `offset`, and is answered with `value`, as a little-endian device means it.
    ///
    /// # Panics
    /// If that lies beyond the end.
    #[track_caller]
    pub fn read_at<T: Word>(self, offset: usize, value: T) -> Self {
        let spot = self.spot_at::<T>(offset);
        self.step(false, spot, Some(value.to_u64()))
    }

    /// It must write `value` at `offset`, as a little-endian device means it.
    ///
    /// # Panics
    /// If that lies beyond the end.
    #[track_caller]
    pub fn write_at<T: Word>(self, offset: usize, value: T) -> Self {
        let spot = self.spot_at::<T>(offset);
        self.step(true, spot, Some(value.to_u64()))
    }

    #[track_caller]
    fn spot_at<T: Word>(&self, offset: usize) -> Spot {
        self.fake.check(offset, size_of::<T>());
        Spot {
            offset: self.fake.at.base + offset,
            width: size_of::<T>(),
            name: String::new(),
            right: Right::ReadWrite,
            endian: Endian::Little,
        }
    }
}

impl<R: Extent + ?Sized> fmt::Debug for Script<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script of {:?}", self.fake)
    }
}

/// One access that must come.
pub(super) struct Step {
    pub(super) write: bool,
    /// Without a name if it is one of raw bytes.
    pub(super) spot: Spot,
    /// What is answered, or must be written.
    pub(super) value: Option<u64>,
}

/// A script, and how far it has come.
#[derive(Default)]
pub(super) struct Running {
    pub(super) steps: Vec<Step>,
    /// How many steps have been done.
    pub(super) next: usize,
    /// With which access the driver left it. (Counted from 0, as everywhere but in the table.)
    pub(super) left: Option<usize>,
}

impl Running {
    /// An access: the answer to a read, if the script has one; or it is not what must come next.
    pub(super) fn take(&mut self, access: &Access) -> Result<Option<u64>, ()> {
        let step = self.steps.get(self.next).ok_or(())?;
        let expected = (step.write, step.spot.offset, step.spot.width);
        let wrong_value = access.write && step.value.is_some_and(|v| access.value != Some(v));
        if expected != (access.write, access.offset, access.width) || wrong_value {
            return Err(());
        }
        self.next += 1;
        Ok(if step.write { None } else { step.value })
    }

    /// What came instead of the next step, or that nothing did.
    pub(super) fn failure(&self, log: &[Access], names: &Names<'_>) -> Option<String> {
        let step = self.steps.get(self.next);
        let did = match self.left.map(|number| &log[number]) {
            Some(access) => {
                let register = names.of(access.offset, access.width, access.write);
                if access.write {
                    format!("wrote {} to {register}", names.value(access))
                } else {
                    format!("read {register}")
                }
            }
            // It has come to its end.
            None if step.is_none() => return None,
            None => "did nothing more".into(),
        };
        Some(match step {
            Some(step) => format!(
                "step {} of {}: the driver {did}, where {} was expected",
                self.next + 1,
                self.steps.len(),
                step.told(names)
            ),
            None => {
                format!("after the last step: the driver {did}, where nothing more was expected")
            }
        })
    }

    /// What a mismatch is, for the log.
    pub(super) fn instead(&self) -> String {
        match self.steps.get(self.next) {
            Some(_) => format!("instead of step {}", self.next + 1),
            None => "after the last step".into(),
        }
    }
}

impl Step {
    fn told(&self, names: &Names<'_>) -> String {
        let register = names.of(self.spot.offset, self.spot.width, self.write);
        match (self.write, self.value) {
            (true, Some(_)) => format!("a write of {} to {register}", names.value(&self.access())),
            (true, None) => format!("a write of {register}"),
            (false, _) => format!("a read of {register}"),
        }
    }

    /// The access that it asks for.
    pub(super) fn access(&self) -> Access {
        let mut access = Access::new(None, self.spot.offset, self.spot.width, self.value);
        access.write = self.write;
        access
    }
}

/// What the driver did otherwise than a [`Fake`] expected, and which actions panicked: a sentence for each, and a table of what happened.
#[derive(Clone, PartialEq, Eq)]
pub struct Failed(String);

impl Failed {
    pub(super) fn new(failures: &[String], log: &Log) -> Self {
        Failed(format!("{}\n\n{log}", failures.join("\n")))
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The same: this is what `unwrap` prints.
impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Failed {}
