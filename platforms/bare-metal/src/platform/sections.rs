//! Read sections: each processor, and each handler on one, notes them in cells of its own.

use core::ops::ControlFlow;
use core::sync::atomic::{fence, Ordering};

use driver_scope::sections::{Cells, Readers, Slots, Stuck, Which};

use crate::machine::cpu::{self, CPUS};

/// A processor outside callbacks, in work or in a handler, and in a handler that has interrupted work.
const DEPTHS: usize = 3;
/// How many sets of cells a context has. Sections that nest deeper than all of them stop the machine.
const SETS: usize = 8;

/// The contexts of the machine: they are always the same, so their cells need not be given out.
pub struct Processors;

static SECTIONS: Slots<Processors> = Slots::new(Processors);
static CELLS: [[Cells; SETS]; CPUS * DEPTHS] =
    [const { [const { Cells::new() }; SETS] }; CPUS * DEPTHS];

/// The sections of the machine.
#[inline(always)]
pub fn all() -> &'static Slots<Processors> {
    &SECTIONS
}

/// The number of the calling context, from 0.
#[inline(always)]
pub fn context() -> usize {
    let cpu = cpu::this();
    cpu.number() * DEPTHS + cpu.depth().min(DEPTHS - 1)
}

// SAFETY: the promises, by their numbers. 1: a context's cells are its own for good, and statics; handlers do not nest, so what runs on one processor at
// one depth runs one after the other: as one context. 2: all cells are always visited. 3: both are SeqCst fences. [PROMISE]
unsafe impl Readers for Processors {
    #[inline(always)]
    fn mine(&self) -> &Cells {
        &CELLS[context()][0]
    }

    fn more(&self) -> &Cells {
        match CELLS[context()].iter().find(|cells| cells.has_room()) {
            Some(cells) => cells,
            None => panic!("too many read sections in one another"),
        }
    }

    fn visit(
        &self,
        which: Which,
        visitor: &mut dyn FnMut(&Cells) -> ControlFlow<Stuck>,
    ) -> ControlFlow<Stuck> {
        match which {
            Which::All => CELLS.iter().flatten().try_for_each(visitor),
            Which::Mine => CELLS[context()].iter().try_for_each(visitor),
        }
    }

    #[inline(always)]
    fn light(&self) {
        fence(Ordering::SeqCst);
    }

    fn heavy(&self) {
        fence(Ordering::SeqCst);
    }
}
