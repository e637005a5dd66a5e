//! Any sequence of operations on device memory, as bytes spell it, each compared with an array of bytes.
//!
//! The random test of `tests/mmio.rs` and the fuzzing in `fuzz/` both run this; it is told nothing but bytes, and whatever they are they mean something.

use std::iter;
use std::sync::Arc;

use driver_scope::mmio::RegisterValue;
use driver_scope::platform::Emulated;
use driver_scope::{registers, DriverScope, Error, Mmio, Platform, Registers, Word};

use super::device::{device, Access, Bytes};

registers! {
    Nothing: 0 {}

    Tiny: 1 align 1 {
        0 => rw TINY: u8,
    }

    Odd: 7 align 2 {
        0 => rw FIRST: u16,
        2 => rw LATER: [u16; 2; stride 2],
        6 => rw LAST: u8,
    }

    Nested: 24 {
        0 => rw WIDE: u64,
        8 => block INNER: [Inner; 2; stride 8],
    }

    Inner: 8 align 4 big endian {
        4 => rw BIG: u32,
    }

    Runs: 40 {
        8 => memory RUN: [u8; 20],
    }

    Huge: 0xffff_ffff_ffff_ffff {}
}

/// What can be done. As many as there are arms in [`World::step`].
pub const OPERATIONS: usize = 8;

/// How often each operation did its work, was misaligned, and lay outside.
pub type Tally = [[usize; 3]; OPERATIONS];

/// A handle, and the bytes of the device that it should reach: from where, and how many.
type Part<'drv, P> = (Mmio<'drv, [u8], P>, usize, usize);

/// Not more parts than these are kept.
const PARTS: usize = 16;

struct World<'drv, P: Platform> {
    device: Arc<Bytes>,
    /// What the device should hold.
    bytes: Vec<u8>,
    /// How it should have been accessed in this step.
    accesses: Vec<Access>,
    parts: Vec<Part<'drv, P>>,
    tally: Tally,
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn small(&mut self) -> Option<usize> {
        self.byte().map(usize::from)
    }

    /// Small, aligned, around the end, or close to where the arithmetic wraps.
    fn offset(&mut self, len: usize) -> Option<usize> {
        let byte = self.small()?;
        Some(match byte {
            0..=0x7f => byte,
            0x80..=0xaf => (byte & 0x3f) * 8,
            0xb0..=0xcf => len.saturating_sub(byte - 0xb0),
            0xd0..=0xdf => len + (byte - 0xd0),
            0xe0..=0xef => (usize::MAX / 2 + 1).wrapping_sub(byte - 0xe0),
            _ => usize::MAX - (byte & 0xf),
        })
    }

    /// A value whose bytes differ.
    fn value(&mut self) -> Option<u64> {
        Some((u64::from(self.byte()?) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

/// Does what the bytes say, on a device of its own.
///
/// # Panics
/// When a result is another than that of the array of bytes.
pub fn run<P: Platform<Bus = Emulated>>(
    scope: &DriverScope<'_, P>,
    input: &[u8],
) -> Result<Tally, Error> {
    let mut input = Input(input);
    let size = input.small().unwrap_or(0) % 129;
    let bytes: Vec<u8> = (0..size).map(|at| (at * 7) as u8).collect();
    let (device, region) = device(bytes.clone());
    let all = scope.map::<[u8]>(&region)?;
    assert_eq!((all.len(), all.is_empty()), (size, size == 0));
    let mut world = World {
        device,
        bytes,
        accesses: Vec::new(),
        parts: vec![(all, 0, size)],
        tally: Tally::default(),
    };
    while world.step(&mut input).is_some() {
        let accesses = std::mem::take(&mut world.accesses);
        assert_eq!(world.device.accesses(), accesses);
        assert_eq!(world.device.bytes(), world.bytes);
    }
    Ok(world.tally)
}

impl<'drv, P: Platform<Bus = Emulated>> World<'drv, P> {
    /// One operation. `None` when the input is at its end.
    fn step(&mut self, input: &mut Input<'_>) -> Option<()> {
        let operation = input.small()? % OPERATIONS;
        let part = self.parts[input.small()? % self.parts.len()];
        let offset = input.offset(part.2)?;
        let result = match operation {
            0 => self.split(part, offset),
            1 => self.read_bytes(part, offset, input.small()? % 48),
            2 => self.write_bytes(part, offset, input.small()? % 48, input.value()?),
            3 => self.block(part, offset, input)?,
            _ => match input.byte()? % 4 {
                0 => self.words::<u8>(operation, part, offset, input)?,
                1 => self.words::<u16>(operation, part, offset, input)?,
                2 => self.words::<u32>(operation, part, offset, input)?,
                _ => self.words::<u64>(operation, part, offset, input)?,
            },
        };
        let column = match result {
            Ok(()) => 0,
            Err(Error::Misaligned { .. }) => 1,
            Err(_) => 2,
        };
        self.tally[operation][column] += 1;
        Some(())
    }

    fn words<T: Word + RegisterValue<Word = T>>(
        &mut self,
        operation: usize,
        part: Part<'drv, P>,
        offset: usize,
        input: &mut Input<'_>,
    ) -> Option<Result<(), Error>> {
        let choice = input.small()?;
        Some(match operation {
            4 => self.read::<T>(part, offset, choice % 2 == 0),
            5 => self.write::<T>(part, offset, choice % 2 == 0, input.value()?),
            6 => self.read_words::<T>(part, offset, choice % 9),
            _ => self.write_words::<T>(part, offset, choice % 9, input.value()?),
        })
    }

    fn keep(&mut self, part: Part<'drv, P>) {
        if self.parts.len() == PARTS {
            self.parts.truncate(1);
        }
        self.parts.push(part);
    }

    fn split(&mut self, part: Part<'drv, P>, middle: usize) -> Result<(), Error> {
        let (mmio, from, len) = part;
        let split = mmio.split_at(middle);
        let expected = allowed(len, middle, 0, 8);
        assert_eq!(split.map(|_| ()), expected);
        let (before, after) = split?;
        assert_eq!((before.len(), after.len()), (middle, len - middle));
        self.keep((before, from, middle));
        self.keep((after, from + middle, len - middle));
        Ok(())
    }

    fn read_bytes(
        &mut self,
        part: Part<'drv, P>,
        offset: usize,
        count: usize,
    ) -> Result<(), Error> {
        let (mmio, from, len) = part;
        let mut to = vec![0x5a; count];
        let result = mmio.read_bytes(offset, &mut to);
        assert_eq!(result, allowed(len, offset, count, 1));
        match result {
            Ok(()) => {
                let at = from + offset;
                assert_eq!(to, self.bytes[at..at + count]);
                self.accesses
                    .extend(widest(at, count).map(|(at, width)| Access::Read(at, width)));
            }
            Err(_) => assert_eq!(to, vec![0x5a; count]),
        }
        result
    }

    fn write_bytes(
        &mut self,
        part: Part<'drv, P>,
        offset: usize,
        count: usize,
        value: u64,
    ) -> Result<(), Error> {
        let (mmio, from, len) = part;
        let data: Vec<u8> = value
            .to_le_bytes()
            .into_iter()
            .cycle()
            .take(count)
            .collect();
        let result = mmio.write_bytes(offset, &data);
        assert_eq!(result, allowed(len, offset, count, 1));
        result?;
        let at = from + offset;
        self.bytes[at..at + count].copy_from_slice(&data);
        self.accesses
            .extend(widest(at, count).map(|(at, width)| Access::Write(at, width)));
        Ok(())
    }

    fn read<T: Word>(
        &mut self,
        part: Part<'drv, P>,
        offset: usize,
        relaxed: bool,
    ) -> Result<(), Error> {
        let (mmio, from, len) = part;
        let width = size_of::<T>();
        let read = if relaxed {
            mmio.try_read_relaxed::<T>(offset)
        } else {
            mmio.try_read::<T>(offset)
        };
        let expected = allowed(len, offset, width, width);
        assert_eq!(read.map(|_| ()), expected);
        assert_eq!(read?.to_u64(), self.expect_read(from + offset, width));
        Ok(())
    }

    fn write<T: Word>(
        &mut self,
        part: Part<'drv, P>,
        offset: usize,
        relaxed: bool,
        value: u64,
    ) -> Result<(), Error> {
        let (mmio, from, len) = part;
        let width = size_of::<T>();
        let written = if relaxed {
            mmio.try_write_relaxed(offset, T::truncate(value))
        } else {
            mmio.try_write(offset, T::truncate(value))
        };
        assert_eq!(written, allowed(len, offset, width, width));
        written?;
        self.expect_write(from + offset, width, value);
        Ok(())
    }

    fn read_words<T: Word>(
        &mut self,
        part: Part<'drv, P>,
        offset: usize,
        count: usize,
    ) -> Result<(), Error> {
        let (mmio, from, len) = part;
        let width = size_of::<T>();
        let mut to = vec![T::truncate(0x5a5a_5a5a_5a5a_5a5a); count];
        let result = mmio.read_words(offset, &mut to);
        assert_eq!(result, allowed(len, offset, count * width, width));
        for (index, word) in to.iter().enumerate() {
            let expected = match result {
                Ok(()) => self.expect_read(from + offset + index * width, width),
                Err(_) => T::truncate(0x5a5a_5a5a_5a5a_5a5a).to_u64(),
            };
            assert_eq!(word.to_u64(), expected);
        }
        result
    }

    fn write_words<T: Word>(
        &mut self,
        part: Part<'drv, P>,
        offset: usize,
        count: usize,
        value: u64,
    ) -> Result<(), Error> {
        let (mmio, from, len) = part;
        let width = size_of::<T>();
        let values = (0..count as u32).map(|turn| value.rotate_left(8 * turn + 3));
        let words: Vec<T> = values.clone().map(T::truncate).collect();
        let result = mmio.write_words(offset, &words);
        assert_eq!(result, allowed(len, offset, count * width, width));
        result?;
        for (index, value) in values.enumerate() {
            self.expect_write(from + offset + index * width, width, value);
        }
        Ok(())
    }

    /// Makes a block, and uses what is in it.
    fn block(
        &mut self,
        part: Part<'drv, P>,
        offset: usize,
        input: &mut Input<'_>,
    ) -> Option<Result<(), Error>> {
        let value = input.value()?;
        let index = input.small()? % 4;
        let base = part.1.wrapping_add(offset);
        Some(match input.small()? % 6 {
            0 => made::<Nothing, P>(part, offset).map(|_| ()),
            1 => made::<Huge, P>(part, offset).map(|_| ()),
            2 => made::<Tiny, P>(part, offset).map(|block| {
                assert_eq!(u64::from(block.read(TINY)), self.expect_read(base, 1));
                block.write_relaxed(TINY, value as u8);
                self.expect_write(base, 1, value);
            }),
            3 => made::<Odd, P>(part, offset).map(|block| {
                block.write(FIRST, value as u16);
                self.expect_write(base, 2, value);
                block.modify(LAST, |last| !last);
                let last = self.expect_read(base + 6, 1);
                self.expect_write(base + 6, 1, !last);
                let later = LATER.at(index);
                assert_eq!(later.map(|_| ()).err(), beyond(index, 2));
                if let Ok(later) = later {
                    let read = block.read_relaxed(later);
                    assert_eq!(u64::from(read), self.expect_read(base + 2 + 2 * index, 2));
                }
            }),
            4 => made::<Nested, P>(part, offset).map(|block| {
                block.modify_relaxed(WIDE, |wide| wide ^ value);
                let wide = self.expect_read(base, 8);
                self.expect_write(base, 8, wide ^ value);
                let inner = INNER.at(index);
                assert_eq!(inner.map(|_| ()).err(), beyond(index, 2));
                if let Ok(inner) = inner {
                    let inner = block.block(inner);
                    let at = base + 8 + 8 * index + 4;
                    let word = self.expect_read(at, 4) as u32;
                    assert_eq!(inner.read(BIG), word.swap_bytes());
                    inner.write(BIG, value as u32);
                    self.expect_write(at, 4, (value as u32).swap_bytes().into());
                }
            }),
            _ => made::<Runs, P>(part, offset).map(|block| {
                let run = block.memory(RUN);
                assert_eq!(run.len(), 20);
                self.keep((run, base + 8, 20));
            }),
        })
    }

    /// Notes a read, and says what it should find.
    fn expect_read(&mut self, at: usize, width: usize) -> u64 {
        self.accesses.push(Access::Read(at, width));
        let bytes = &self.bytes[at..at + width];
        bytes
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte))
    }

    /// Notes a write, and makes it.
    fn expect_write(&mut self, at: usize, width: usize, value: u64) {
        self.accesses.push(Access::Write(at, width));
        for (index, byte) in self.bytes[at..at + width].iter_mut().enumerate() {
            *byte = (value >> (8 * index)) as u8;
        }
    }
}

/// The block at an offset, if it may be there.
fn made<'drv, B: Registers, P: Platform>(
    part: Part<'drv, P>,
    offset: usize,
) -> Result<Mmio<'drv, B, P>, Error> {
    let (mmio, _, len) = part;
    let block = mmio.block_at::<B>(offset);
    assert_eq!(block.map(|_| ()), allowed(len, offset, B::SIZE, B::ALIGN));
    if offset == 0 {
        assert_eq!(block.map(|_| ()), mmio.block::<B>().map(|_| ()));
    }
    block
}

/// What is said of `width` bytes at an offset, in a part of `len`.
fn allowed(len: usize, offset: usize, width: usize, align: usize) -> Result<(), Error> {
    if offset & (align - 1) != 0 {
        let width = align;
        return Err(Error::Misaligned { offset, width });
    }
    if offset as u128 + width as u128 > len as u128 {
        let size = len;
        return Err(Error::OutOfBounds {
            offset,
            width,
            size,
        });
    }
    Ok(())
}

fn beyond(index: usize, count: usize) -> Option<Error> {
    (index >= count).then_some(Error::NoSuchElement { index, count })
}

/// Where a copy of so many bytes makes its accesses, and how wide: as wide as can be.
pub fn widest(at: usize, count: usize) -> impl Iterator<Item = (usize, usize)> {
    let end = at + count;
    let widths = if cfg!(target_pointer_width = "64") {
        &[8, 4, 2, 1][..]
    } else {
        &[4, 2, 1]
    };
    let mut at = at;
    iter::from_fn(move || {
        let width = *widths
            .iter()
            .find(|&&width| at % width == 0 && at + width <= end)?;
        at += width;
        Some((at - width, width))
    })
}
