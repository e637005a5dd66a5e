// Wrong: a read section is cloned: it would be left twice, and the second time perhaps somebody else's.
// Instead: enter once more: `ReadSection::enter(..)`; sections nest.
// Refused: the trait bound `ReadSection<'_, Sim>: Clone` is not satisfied
use driver_scope::{platform::Sim, ReadSection};

#[derive(Clone)]
struct Reader<'p> {
    section: ReadSection<'p, Sim>,
}

fn main() {}
