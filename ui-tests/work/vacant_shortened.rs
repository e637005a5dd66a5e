// Wrong: a place for work of one scope is passed off as one of a scope with a shorter life, whose values are gone before.
// Instead: make the work in the scope whose values it borrows.
use driver_scope::{platform::Sim, VacantWork};

fn shorten<'short, 'long: 'short>(vacant: VacantWork<'long, Sim>) -> VacantWork<'short, Sim> {
    vacant
}

fn main() {}
