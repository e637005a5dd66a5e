// Wrong: the reason that keeps a read section in its context is implemented away.
// Instead: enter a section in each context.
use driver_scope::sections::EndsElsewhere;
use driver_scope::{platform::Sim, ReadSection};

impl EndsElsewhere for ReadSection<'_, Sim> {}

fn main() {}
