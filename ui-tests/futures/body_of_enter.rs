// Wrong: the body of `enter` is an async block, which runs when it is polled: then the scope has ended.
// Instead: poll it inside: `enter(.., |env, scope| block_on(async { .. }))`.
// Refused: returning this value requires that `'1` must outlive `'2`
use driver_scope::{enter, platform::Sim};

fn main() {
    Sim::new().may_sleep(|cx| {
        let _later = enter(Sim::new(), cx, &(), |_, scope| async move { scope.now() });
    });
}
