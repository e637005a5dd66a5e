// Wrong: a gate is entered by hand, and left by nobody.
// Instead: `try_access`, of the object.
use driver_scope::sections::{Gate, Sections};

fn pass<S: Sections>(sections: &S, gate: &Gate<S::Id>) -> bool {
    sections.enter(gate).is_some()
}

fn main() {}
