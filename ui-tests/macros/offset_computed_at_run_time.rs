// Wrong: an offset is given as an expression.
// Instead: a literal, as the specification has it; for many alike, an array and `.at(index)`.
// Refused: no rules expected `offset`
use driver_scope::registers;

fn offset() -> usize {
    4
}

registers! {
    Small: 8 {
        offset() => rw STATUS: u32,
    }
}

fn main() {}
