// Wrong: a type without a lifetime is used as the name of a family.
// Instead: `Devres<Plain<u32>, Sim>`.
use driver_scope::{platform::Sim, Devres};

fn read(_: &Devres<u32, Sim>) {}

fn main() {}
