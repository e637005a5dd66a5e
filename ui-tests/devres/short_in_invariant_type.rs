// Wrong: something short-lived is stored in a resource that lives as long as its scope.
// Instead: store what is `'static`, or what was made from the scope, where the scope is lent: `Bound::access`.
use std::sync::Mutex;

use driver_scope::{platform::Sim, Devres, Family};

struct Names<'a>(Mutex<Vec<&'a str>>);
impl Family for Names<'static> {
    type At<'a> = Names<'a>;
}

fn add(outside: &Devres<Names<'static>, Sim>) {
    let name = String::from("short");
    outside.try_access_with(|names| names.0.lock().unwrap().push(&name));
}

fn main() {}
