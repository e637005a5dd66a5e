// Wrong: a resource of the outer scope refers to what the inner one owns, and drops first.
// Instead: a resource of the inner scope.
// Refused: a temporary borrow escapes the closure body here
use driver_scope::{enter, platform::Sim};

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, outer| {
            enter(Sim::new(), cx, &(), |_, inner| {
                let owned = inner.own(7).unwrap();
                let _ = outer.devres::<&'static u32>(owned);
            });
        });
    });
}
