// Wrong: two resources of one family, of an inner and an outer scope, are swapped: each could be accessed without a check by the other's scope.
// Instead: each with its own scope.
// Refused: argument requires that `'1` must outlive `'static`
use driver_scope::{enter, platform::Sim, Plain};

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            let mut of_outer = outer.devres::<Plain<u32>>(1).unwrap();
            enter(Sim::new(), cx, &(), |_, inner| {
                let mut of_inner = inner.devres::<Plain<u32>>(2).unwrap();
                std::mem::swap(&mut of_outer, &mut of_inner);
            });
            assert_eq!(*of_outer.access(outer), 1);
        });
    });
}
