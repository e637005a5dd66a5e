// Wrong: a reference to an owned value is returned from `enter`, which has dropped the value.
// Instead: return a copy of what is in it, or make the value before `enter` and pass it in as the environment.
use driver_scope::{enter, platform::Sim};

fn main() {
    Sim::new().may_sleep(|cx| {
        let _count: &u32 = enter(Sim::new(), cx, &(), |_, scope| scope.own(7).unwrap());
    });
}
