// Wrong: a type is declared to have a lifetime that can be shortened, which it has not: what is put into the list would have to live as
// long as what is in there.
// Instead: leave `Covariant` out, and use `try_access_with`.
use std::sync::Mutex;

use driver_scope::{Covariant, Family};

struct Names<'a>(Mutex<Vec<&'a str>>);
impl Family for Names<'static> {
    type At<'a> = Names<'a>;
}
impl Covariant for Names<'static> {
    fn shorten<'s, 'l: 's>(x: &'s Names<'l>) -> &'s Names<'s> {
        x
    }
}

fn main() {}
