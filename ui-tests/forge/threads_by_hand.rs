// Wrong: the readers of the process are made by hand. Their methods are for the crate's own algorithm: they tell where a thread notes its sections.
// Instead: `Threads::sections()` is all that a platform needs.
use std::marker::PhantomData;

use driver_scope::platform::{Fenced, Threads};

fn main() {
    let _ = Threads::<Fenced>(PhantomData);
}
