// Wrong: an object that takes handles of any scope keeps one of them.
// Instead: what is kept is a `Devres` or a `Port`.
// Refused: `timer` escapes the closure body here
use std::cell::RefCell;
use std::rc::Rc;

use driver_scope::{platform::Sim, HrTimer};

fn collector<'x>(
    all: Rc<RefCell<Vec<HrTimer<'x, Sim>>>>,
) -> Box<dyn for<'d> Fn(HrTimer<'d, Sim>) + 'x> {
    Box::new(move |timer| all.borrow_mut().push(timer))
}

fn main() {}
