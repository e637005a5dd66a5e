// Wrong: a type with a destructor is put into `alloc`. Found when code is generated.
// Instead: `let name = scope.own(String::from("led"))?` and `scope.alloc((timer, name))`.
use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &(), |_, scope| {
            let timer = scope.hrtimer(|_| Restart::No).unwrap();
            let _ = scope.alloc((timer, String::from("led")));
        });
    });
}
