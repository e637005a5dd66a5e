//! What kind of register it is.

use core::any::TypeId;

use crate::mmio::{ReadClears, ReadOnly, WriteOneToClear, WriteOnly};

/// An access right, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    ReadOnly,
    WriteOnly,
    ReadWrite,
    ReadClears,
    WriteOneToClear,
}

impl Right {
    /// The right that a type stands for.
    pub(super) fn of(access: TypeId) -> Self {
        let rights = [
            (TypeId::of::<ReadOnly>(), Right::ReadOnly),
            (TypeId::of::<WriteOnly>(), Right::WriteOnly),
            (TypeId::of::<ReadClears>(), Right::ReadClears),
            (TypeId::of::<WriteOneToClear>(), Right::WriteOneToClear),
        ];
        let right = rights.into_iter().find(|(id, _)| *id == access);
        right.map_or(Right::ReadWrite, |(_, right)| right)
    }
}
