// Wrong: a read section is used for a resource whose lifetime cannot be shortened to the section's.
// Instead: `try_access_with(|names| ..)`.
use std::sync::Mutex;

use driver_scope::{platform::Sim, Devres, Family, ReadSection};

struct Names<'a>(Mutex<Vec<&'a str>>);
impl Family for Names<'static> {
    type At<'a> = Names<'a>;
}

fn count(outside: &Devres<Names<'static>, Sim>, section: &ReadSection<'_, Sim>) -> Option<usize> {
    let names = outside.try_access_with_guard(section)?;
    Some(names.0.lock().unwrap().len())
}

fn main() {}
