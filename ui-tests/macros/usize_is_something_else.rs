// Wrong: `usize` is another type where registers are declared, so that a size would wrap.
// Instead: leave the names of primitive types to these.
// Refused: implemented const `SIZE` has an incompatible type for trait
use driver_scope::registers;

#[allow(non_camel_case_types)]
type usize = u8;

registers! {
    Small: 4 {}
}

fn main() {}
