// Wrong: a cell for handles is passed off as one for handles of a shorter life; such a one could be put in, and be found later.
// Instead: keep the scope's own lifetime in signatures: `&'s Cell<HrTimer<'drv, P>>`.
// Refused: function was supposed to return data with lifetime `'drv` but it is returning data with lifetime `'s`
use std::cell::Cell;

use driver_scope::{platform::Sim, HrTimer};

fn shorten<'s, 'drv: 's>(cell: &'s Cell<HrTimer<'drv, Sim>>) -> &'s Cell<HrTimer<'s, Sim>> {
    cell
}

fn main() {}
