// Wrong: an `Rc` cycle that was made inside the scope is reached from outside when the scope has ended.
// Instead: take out numbers, not handles; or a `Devres`, which is checked.
// Refused: returning this value requires that `'1` must outlive `'2`
use std::cell::RefCell;
use std::rc::Rc;

use driver_scope::{enter, platform::Sim, HrTimer, Restart};

struct Node<'drv> {
    timer: HrTimer<'drv, Sim>,
    next: RefCell<Option<Rc<Node<'drv>>>>,
}

fn main() {
    Sim::new().may_sleep(|cx| {
        let node = enter(Sim::new(), cx, &(), |_, scope| {
            let timer = scope.hrtimer(|_| Restart::No).unwrap();
            let node = Rc::new(Node {
                timer,
                next: RefCell::new(None),
            });
            *node.next.borrow_mut() = Some(node.clone());
            node
        });
        assert!(!node.timer.is_active());
    });
}
