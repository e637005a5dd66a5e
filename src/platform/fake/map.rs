//! What lies where in the device, as its blocks declare it.

use std::format;
use std::string::String;
use std::vec::Vec;

use core::ops::Range;

use crate::mmio::{Described, Endian, What};
use crate::platform::fake::right::Right;
use crate::platform::fake::state::Spot;

/// A block of registers, at a place in the device.
#[derive(Clone)]
pub(super) struct Map {
    pub(super) base: usize,
    /// What its registers' names begin with.
    pub(super) path: String,
    pub(super) endian: Endian,
    pub(super) items: &'static [Described],
}

/// What an access touches.
pub(super) enum Touched {
    Register(Spot),
    /// Memory, of which it is a part: its name.
    Memory(String),
}

impl Map {
    /// Adds what an access touches.
    pub(super) fn touched(&self, access: &Range<usize>, found: &mut Vec<Touched>) {
        for item in self.items {
            let first = self.base + item.offset;
            // Of an array, the elements that the access may touch: the stride is no less than the size.
            let index = |offset: usize| match item.stride {
                0 => 0,
                stride => (offset.saturating_sub(first) / stride).min(item.count - 1),
            };
            for index in index(access.start)..=index(access.end - 1) {
                let start = first + index * item.stride;
                let end = start + item.size;
                if start >= access.end || access.start >= end {
                    continue;
                }
                let name = match item.stride {
                    0 => format!("{}{}", self.path, item.name),
                    _ => format!("{}{}[{index}]", self.path, item.name),
                };
                match item.what {
                    What::Register { access } => found.push(Touched::Register(Spot {
                        offset: start,
                        width: item.size,
                        name,
                        right: Right::of(access()),
                        endian: self.endian,
                    })),
                    What::Block { endian, items } => {
                        let inner = Map {
                            base: start,
                            path: format!("{name}."),
                            endian,
                            items,
                        };
                        inner.touched(access, found);
                    }
                    What::Memory if start <= access.start && access.end <= end => {
                        let at = access.start - start;
                        found.push(Touched::Memory(format!("{name}[{at:#x}]")));
                    }
                    What::Memory => {}
                }
            }
        }
    }
}
