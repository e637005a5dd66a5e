// Wrong: a port to a type that is no driver.
// Instead: the type that `Driver` is implemented for: `Port<Led, Sim>`.
use driver_scope::{platform::Sim, Port};

struct LedData;

fn lit(_: &Port<LedData, Sim>) {}

fn main() {}
