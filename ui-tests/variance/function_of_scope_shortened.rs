// Wrong: a function that takes a scope is passed off as one that takes a scope of longer life: what it registers would borrow too little.
// Instead: a function that is generic in the scope's lifetime.
// Refused: function was supposed to return data with lifetime `'drv` but it is returning data with lifetime `'s`
use driver_scope::{platform::Sim, DriverScope};

fn lengthen<'s, 'drv: 's>(register: fn(&DriverScope<'s, Sim>)) -> fn(&DriverScope<'drv, Sim>) {
    register
}

fn main() {}
