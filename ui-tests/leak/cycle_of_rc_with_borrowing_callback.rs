// Wrong: a callback borrows a local, and its handle is put into an `Rc` cycle, so that no `Drop` of it ever runs.
// Instead: declare before `enter` what callbacks borrow, and pass it in as the environment.
// Refused: argument requires that `count` is borrowed for `'1`
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use driver_scope::{platform::Sim, DriverScope, Error, HrTimer, Restart};

struct Node<'drv> {
    _timer: HrTimer<'drv, Sim>,
    next: RefCell<Option<Rc<Node<'drv>>>>,
}

fn cycle(scope: &DriverScope<'_, Sim>) -> Result<(), Error> {
    let count = AtomicU32::new(0);
    let borrowed = &count;
    let _timer = scope.hrtimer(move |_| {
        borrowed.fetch_add(1, Ordering::Relaxed);
        Restart::No
    })?;
    let node = Rc::new(Node {
        _timer,
        next: RefCell::new(None),
    });
    *node.next.borrow_mut() = Some(node.clone());
    Ok(())
}

fn main() {}
