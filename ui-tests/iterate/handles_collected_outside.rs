// Wrong: handles that an iterator makes are collected into a list outside of the scope.
// Instead: a list inside, or in `scope.alloc` if it needs no `Drop`.
// Refused: returning this value requires that `'1` must outlive `'2`
use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        let mut all = Vec::new();
        enter(Sim::new(), cx, &(), |_, scope| {
            let mut made = (0..3).flat_map(|_| scope.hrtimer(|_| Restart::No));
            all.extend(made.by_ref());
        });
        assert!(!all[0].is_active());
    });
}
