// Wrong: a vacant timer is passed off as one with a shorter life; its callback could then borrow what dies earlier.
// Instead: fill it with the scope that made it.
use driver_scope::{platform::Sim, Vacant};

fn shorten<'s, 'drv: 's>(vacant: Vacant<'drv, Sim>) -> Vacant<'s, Sim> {
    vacant
}

fn main() {}
