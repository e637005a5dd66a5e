//! Readers of a platform's own: what `Slots` makes of them.

use std::ops::ControlFlow;
use std::sync::atomic::{fence, Ordering};

use driver_scope::sections::{Cells, Readers, Sections, Slots, Stuck, Which};

/// Those of one thread, which is all that there is.
struct Alone(Cells);

// SAFETY: one context, whose cells these are; it has room for the one section of a test. The fences are fences.
unsafe impl Readers for Alone {
    fn mine(&self) -> &Cells {
        &self.0
    }

    fn more(&self) -> &Cells {
        assert!(self.0.has_room());
        &self.0
    }

    fn visit(
        &self,
        _: Which,
        visitor: &mut dyn FnMut(&Cells) -> ControlFlow<Stuck>,
    ) -> ControlFlow<Stuck> {
        visitor(&self.0)
    }

    fn light(&self) {
        fence(Ordering::SeqCst);
    }

    fn heavy(&self) {
        fence(Ordering::SeqCst);
    }
}

#[test]
fn a_section_is_of_the_readers_that_it_was_entered_with() {
    let [one, two] = [(); 2].map(|()| Slots::new(Alone(Cells::new())));
    assert!(one.covers(&one) && two.covers(&two));
    assert!(!one.covers(&two) && !two.covers(&one));
}

#[test]
fn cells_have_room_until_they_are_full() {
    let readers = Slots::new(Alone(Cells::new()));
    let alone = Alone(Cells::new());
    assert!(alone.0.has_room() && !Cells::unregistered().retire());
    // SAFETY: left below, in this context, once.
    let section = unsafe { readers.enter_all() };
    assert!(readers.holds(None));
    // SAFETY: entered above.
    unsafe { readers.leave_all(section) };
    assert!(!readers.holds(None));
}
