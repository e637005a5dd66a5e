// Wrong: a macro makes a scope for the rest of a block, as `generativity` makes its guards: what follows may diverge, and does.
// Instead: `enter`: the rest of the block is its closure.
// Refused: returning this value requires that `'1` must outlive `'2`
use driver_scope::{enter, platform::Sim};

macro_rules! make_scope {
    ($name:ident, $platform:expr) => {
        let platform = $platform;
        let $name = platform.may_sleep(|cx| enter(platform.clone(), cx, &(), |_, scope| scope));
    };
}

fn main() {
    make_scope!(_scope, Sim::new());
    panic!()
}
