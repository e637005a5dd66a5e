// Wrong: a table of a scope's registrations is returned from `enter`, when they are gone.
// Instead: make it text (`to_string`) inside.
use driver_scope::{enter, platform::Sim};

fn main() {
    Sim::new().may_sleep(|cx| {
        let table = enter(Sim::new(), cx, &(), |_, scope| scope.table());
        println!("{table}");
    });
}
