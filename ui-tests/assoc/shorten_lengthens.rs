// Wrong: `Covariant::shorten` is written to return what it was given for longer.
// Instead: `x`: the compiler checks that the lifetime can be shortened.
// Refused: function was supposed to return data with lifetime `'l` but it is returning data with lifetime `'s`
use driver_scope::{platform::Sim, Covariant, Family, HrTimer};

struct Timer<'a>(HrTimer<'a, Sim>);
impl Family for Timer<'_> {
    type At<'a> = Timer<'a>;
}
impl Covariant for Timer<'_> {
    fn shorten<'s, 'l: 's>(x: &'s Timer<'l>) -> &'l Timer<'l> {
        x
    }
}

fn main() {}
