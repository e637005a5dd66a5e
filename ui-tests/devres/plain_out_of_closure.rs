// Wrong: `try_access_with` returns the reference that it lends, to a resource without a lifetime of its own.
// Instead: return what came of it: `|text| text.len()`.
use driver_scope::{platform::Sim, Devres, Plain};

fn steal(outside: &Devres<Plain<String>, Sim>) {
    let _text = outside.try_access_with(|text| text);
}

fn main() {}
