// Wrong: a handle leaves in a `Box<dyn Error>`, whose type has forgotten the lifetime.
// Instead: an error says what was found, not how to look again.
// Refused: returning this value requires that `'1` must outlive `'static`
use std::error::Error;
use std::fmt;

use driver_scope::{platform::Sim, HrTimer};

#[derive(Debug)]
struct Late<'drv>(HrTimer<'drv, Sim>);
impl fmt::Display for Late<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
impl Error for Late<'_> {}

fn check(timer: HrTimer<'_, Sim>) -> Result<(), Box<dyn Error>> {
    Err(Box::new(Late(timer)))
}

fn main() {}
