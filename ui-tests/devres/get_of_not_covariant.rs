// Wrong: a guard is asked for a resource whose lifetime cannot be shortened to the guard's.
// Instead: `try_access_with(|names| ..)`.
use std::sync::Mutex;

use driver_scope::{platform::Sim, Devres, Family};

struct Names<'a>(Mutex<Vec<&'a str>>);
impl Family for Names<'static> {
    type At<'a> = Names<'a>;
}

fn count(outside: &Devres<Names<'static>, Sim>) -> Option<usize> {
    let guard = outside.try_access()?;
    let count = guard.get().0.lock().unwrap().len();
    Some(count)
}

fn main() {}
