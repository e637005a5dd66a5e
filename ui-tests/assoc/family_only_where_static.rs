// Wrong: a family with members only for the lifetime that never ends.
// Instead: a member for each lifetime.
// Refused: impl has stricter requirements than trait
use driver_scope::{platform::Sim, Family, HrTimer};

struct Lasting;
impl Family for Lasting {
    type At<'a>
        = HrTimer<'static, Sim>
    where
        'a: 'static;
}

fn main() {}
