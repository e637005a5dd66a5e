// Wrong: where contexts note their sections is written without `unsafe`: here all in one place, and nobody looks there.
// Instead: `unsafe impl`, with the reason why each promise is kept.
use std::ops::ControlFlow;

use driver_scope::sections::{Cells, Readers, Stuck, Which};

struct One(Cells);

impl Readers for One {
    fn mine(&self) -> &Cells {
        &self.0
    }
    fn more(&self) -> &Cells {
        &self.0
    }
    fn visit(
        &self,
        _: Which,
        _: &mut dyn FnMut(&Cells) -> ControlFlow<Stuck>,
    ) -> ControlFlow<Stuck> {
        ControlFlow::Continue(())
    }
    fn light(&self) {}
    fn heavy(&self) {}
}

fn main() {}
