// Wrong: a resource that must not be shared; handles on many threads lend the same one.
// Instead: members that are `Sync`: an atomic, a `Lock`.
use std::cell::Cell;

use driver_scope::Family;

struct Log<'a> {
    _text: &'a str,
    _lines: Cell<u32>,
}
impl Family for Log<'static> {
    type At<'a> = Log<'a>;
}

fn main() {}
