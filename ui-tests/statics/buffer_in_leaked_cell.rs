// Wrong: memory of a device is named by a cell that was leaked on purpose.
// Instead: copy out what is to be kept.
// Refused: returning this value requires that `'1` must outlive `'static`
use std::cell::RefCell;

use driver_scope::{platform::Sim, DmaBuffer};

fn keep(buffer: DmaBuffer<'_, [u8], Sim>) -> &'static RefCell<DmaBuffer<'static, [u8], Sim>> {
    Box::leak(Box::new(RefCell::new(buffer)))
}

fn main() {}
