// Wrong: a thread is given other cells to note its sections in, which nobody looks at.
// Instead: nothing. It is a part of `Threads`, and `unsafe`.
use driver_scope::platform::{Fenced, Fences};
use driver_scope::sections::Cells;

static CELLS: Cells = Cells::new();

fn main() {
    Fenced::set_mine(&raw const CELLS);
}
