// Wrong: an iterator returns handles that live as long as its scope, and has only borrowed ones.
// Instead: `Item = &'s HrTimer<'drv, P>`; or copy: handles are `Copy`.
// Refused: method was supposed to return data with lifetime `'drv` but it is returning data with lifetime `'s`
use driver_scope::{platform::Sim, HrTimer};

struct Timers<'s, 'drv>(std::slice::Iter<'s, HrTimer<'drv, Sim>>);

impl<'s, 'drv> Iterator for Timers<'s, 'drv> {
    type Item = &'drv HrTimer<'drv, Sim>;
    fn next(&mut self) -> Option<&'drv HrTimer<'drv, Sim>> {
        self.0.next()
    }
}

fn main() {}
