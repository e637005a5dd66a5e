// Wrong: an outer scope and an inner one are swapped, so that the inner one's end would be the outer one's.
// Instead: a scope ends where it began.
// Refused: types differ in mutability
use driver_scope::{enter, platform::Sim};

fn swap<T>(_: &mut T, _: &mut T) {}

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            enter(Sim::new(), cx, &(), |_, inner| swap(outer, inner));
        });
    });
}
